// One stage of the plan: from its map to a typed Stage.
#pragma once

#include "orchestrator/plan/compose.h"
#include "orchestrator/plan/plan.h"

namespace blackstart::plan {

/// Reads the keys of a stage. `plan` gives the variables; its stages are not looked at. What is
/// wrong becomes a finding and keeps its default.
Stage read_stage(NamedNode source, const Plan& plan, const SchemaLookup& schemas,
                 Diagnostics& diagnostics);

}  // namespace blackstart::plan
