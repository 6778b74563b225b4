// Variables: declared in the plan, given by --var, environments, environment variables and files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/plan/compose.h"
#include "orchestrator/plan/plan.h"

namespace blackstart::plan {

/// Resolves all variables for `environment` (null = none). Order of precedence: --var, the
/// environment's vars, fromEnv, fromFile, default. Mistakes are findings; a variable that could not
/// be read has an unknown value, so that nothing else is said about it.
std::map<std::string, Variable> resolve_variables(const Sources& sources,
                                                  const EnvironmentSource* environment,
                                                  const Request& request, const Files& files,
                                                  const Environment& process,
                                                  Diagnostics& diagnostics);

}  // namespace blackstart::plan
