// The plan's edges: written ones, those that expressions imply, and that they form no circle.
#pragma once

#include "orchestrator/plan/compose.h"
#include "orchestrator/plan/plan.h"

namespace blackstart::plan {

/// Adds the implied needs to every stage and checks all of them. `removed` are stages that the
/// environment took away.
void connect(Plan& plan, const std::map<std::string, Place>& removed, Diagnostics& diagnostics);

}  // namespace blackstart::plan
