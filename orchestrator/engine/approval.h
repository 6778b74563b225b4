// What was shown is applied as it was shown, or not at all.
#pragma once

#include "orchestrator/engine/saved_plan.h"
#include "orchestrator/engine/session.h"

namespace blackstart::engine {

/// What preview() has shown. The caller adds the selection and the variables it was made with.
SavedPlan approval_of(const Session& session, const RunResult& shown);

/// Throws Error(kUsage) when the plan, the cluster or the inputs of a stage are not those that
/// options.saved was made for. Looks at every stage and writes nothing; to be called before the run
/// is begun. What an interrupted run of the same saved plan has done is no change: it goes on.
///
/// That what is done is what was shown is checked stage by stage, before its first action.
Task<void> refuse_if_changed(Session& session, const std::vector<Role>& roles);

}  // namespace blackstart::engine
