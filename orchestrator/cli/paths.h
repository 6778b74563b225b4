// Files and folders that the command line names, for us to write to.
#pragma once

#include <string>

#include "orchestrator/cli/program.h"

namespace blackstart::cli {

/// Refuses a --state or --out that cannot serve, and to write over the plan, before anything is
/// looked at. Throws Error(kUsage).
void refuse_bad_paths(const Program& program);

/// Error(kUsage) for the `path` given with `option`, which cannot be used because of `why`.
Error unusable(const Program& program, const std::string& option, const std::string& path,
               const Error& why);

}  // namespace blackstart::cli
