// What a stage has applied, remembered beside the journal: only that may ever be pruned.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages {

struct Applied {
  kube::ObjectRef ref;
  std::string uid;  // empty: about to be applied, and not seen since
  bool operator==(const Applied&) const = default;
};

/// In the stage's own folder; nullopt when nothing is remembered there, or nothing that can be
/// read: it was applied by an earlier version, or the state folder was lost.
std::optional<std::vector<Applied>> read_applied(engine::Context& context);
/// Durable when it returns. Does nothing while nothing may be written, or when it says so already.
Task<void> remember_applied(engine::Context& context, const std::vector<Applied>& applied);

}  // namespace blackstart::stages
