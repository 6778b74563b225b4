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

/// What a selection means for destroy: stages that live in the cluster go with it when the stage
/// that made it is selected; others that need what is selected get Role::kCheck.
std::vector<Role> removal_roles(const Session& session, std::vector<Role> roles);

/// Looks first, for the outputs; then takes the stages away in reverse order. Stages with
/// Role::kCheck that need a selected one must be gone already, and block it when they are not.
/// `roles`: from removal_roles().
Task<RunResult> destroy(Session& session, std::vector<Role> roles);

}  // namespace blackstart::engine
