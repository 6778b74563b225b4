// Environments: which one is chosen, and its patches for stages by name.
#pragma once

#include "orchestrator/plan/compose.h"
#include "orchestrator/plan/plan.h"

namespace blackstart::plan {

/// The environment that the request names, else the plan's default, else the only one; nullptr =
/// the plan has none. nullopt: it cannot be told which, and that has been reported.
std::optional<const EnvironmentSource*> choose_environment(const Sources& sources,
                                                           const Request& request,
                                                           Diagnostics& diagnostics);

/// Lays `patch` over `base`: maps merge deeply, scalars and lists replace, null removes, and is
/// nothing where there is nothing to remove (RFC 7386). What comes from the patch keeps the patch's
/// places.
void merge_patch(yaml::Node& base, const yaml::Node& patch);

/// Applies the patches of `environment` to the stages; a stage patched with null is removed. Names
/// the removed ones, with the place of the removal.
std::map<std::string, Place> apply_environment(const EnvironmentSource& environment,
                                               std::vector<NamedNode>& stages);

/// Checks the patches of all environments, chosen or not: stages and keys must exist.
void check_environments(const Sources& sources, Diagnostics& diagnostics);

}  // namespace blackstart::plan
