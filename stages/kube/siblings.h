// What the other stages of the plan put into the cluster.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages {

/// Identities of all objects that other stages want, read from their sources as they are now. A
/// stage that is not wanted counts too: taking away is what must not be a mistake. `unknown`
/// receives the name of a stage whose sources cannot be read, perhaps not before another one has
/// run; empty = none.
Task<std::set<kube::ObjectRef>> wanted_by_others(engine::Context& context, std::string& unknown);

/// Enters the definitions among `objects` as this stage's, for this run. When another stage has one
/// of them: a sentence that names both and the definition; empty otherwise.
std::string rival_for_definitions(engine::Context& context, const kube::Manifests& objects);

}  // namespace blackstart::stages
