// Environments: patches for stages by name.
#pragma once

#include "orchestrator/plan/compose.h"

namespace blackstart::plan {

/// Lays `patch` over `base`: maps merge deeply, scalars and lists replace, null removes. What comes
/// from the patch keeps the patch's places.
void merge_patch(yaml::Node& base, const yaml::Node& patch);

/// Applies the patches of `environment` to the stages; a stage patched with null is removed. Names
/// the removed ones, with the place of the removal.
std::map<std::string, Place> apply_environment(const EnvironmentSource& environment,
                                               std::vector<NamedNode>& stages);

/// Checks the patches of all environments, chosen or not: stages and keys must exist.
void check_environments(const Sources& sources, Diagnostics& diagnostics);

}  // namespace blackstart::plan
