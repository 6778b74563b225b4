// The operation of an Application: what it waits for, what it failed of, and whether it goes on at
// a revision that nobody wants any more; pure.
#pragma once

#include <optional>

#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

/// The verdict about the operation that runs or ran last; nullopt when it succeeded or there was
/// none.
std::optional<Verdict> judge_operation(const boost::json::value& application,
                                       const ExpectedRevision& expected);

}  // namespace blackstart::stages::argocd
