// The commands of the engine: look, make it so, take it away.
#pragma once

#include "orchestrator/engine/session.h"

namespace blackstart::engine {

/// Observes every stage that has a role and decides, changing nothing: `plan` and `status`.
Task<RunResult> preview(Session& session, std::vector<Role> roles);

/// Runs the stages, each as soon as its needs hold; independent branches go on when one fails.
/// A stage with Role::kCheck is only looked at, and blocks those that need it when it does not
/// hold.
Task<RunResult> apply(Session& session, std::vector<Role> roles);

/// Looks first, for the outputs; then takes the stages away in reverse order. Stages that live in
/// the cluster go with it when the stage that made it is taken away too.
Task<RunResult> destroy(Session& session, std::vector<Role> roles);

}  // namespace blackstart::engine
