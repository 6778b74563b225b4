// What a stage has applied, remembered beside the journal: only that may ever be pruned, and only
// what it made is taken away.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages {

struct Applied {
  kube::ObjectRef ref;
  std::string uid;           // empty: about to be made, and not seen since
  std::optional<bool> made;  // by the stage, or was it there before; nullopt = not known
  bool operator==(const Applied&) const = default;
};

/// What is to be remembered of an object before it is applied: `live` as it was just seen, null
/// when it is not there; `known` what was remembered of it before, null = nothing.
Applied about_to_apply(const kube::ObjectRef& ref, const boost::json::value& live,
                       const Applied* known);
/// What is to be remembered of a live object, from what was remembered of it.
Applied seen_again(const kube::ObjectRef& ref, const boost::json::value& live, const Applied* known,
                   std::string_view field_manager);
/// Did the stage make the live object? What is not remembered is told from its managedFields.
bool made_here(const Applied& applied, const boost::json::value& live,
               std::string_view field_manager);

/// Was `object`, as it is in the cluster, made by `manager`, as far as managedFields tell? Others
/// may have made what the manager only put a label or a key on: it counts as theirs when they have
/// written to it, unless the manager has not written since it was made, and before them.
bool made_by(const boost::json::value& object, std::string_view manager);

/// In the stage's own folder; nullopt when nothing is remembered there, or nothing that can be
/// read: it was applied by an earlier version, or the state folder was lost.
std::optional<std::vector<Applied>> read_applied(engine::Context& context);
/// Durable when it returns. Does nothing while nothing may be written, or when it says so already.
Task<void> remember_applied(engine::Context& context, const std::vector<Applied>& applied);

}  // namespace blackstart::stages
