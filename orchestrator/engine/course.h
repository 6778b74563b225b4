// What the engine's commands have in common: looking at a stage, holding it back, and what goes on
// beside the walk.
#pragma once

#include "orchestrator/engine/session.h"
#include "orchestrator/engine/stage_run.h"

namespace blackstart::engine {

void give_roles(Session& session, const std::vector<Role>& roles);
/// Enters the stage's new state and publishes it.
void set_state(Session& session, size_t index, StageState state, std::string reason);

/// Settles stages that nothing is to be looked at for; true when it did. Throws plan::NotKnownYet
/// when its `when` depends on what is not known.
bool left_out(Session& session, size_t index);
/// Blocks the stage when a stage before it went wrong (one that it needs, or in removal one that
/// needs it); stops it when the run is ending, or has ended before that one was done. True when it
/// did either.
bool held_back(Session& session, size_t index, Direction direction);

/// Observes and decides, changing nothing.
Task<void> look_at(Session& session, size_t index, Direction direction);
Task<void> look_everywhere(Session& session, Direction direction);

/// Runs `work` with heartbeats and the grace of a stop beside it.
Task<void> accompanied(Session& session, Task<void> work);

/// Takes the results out of the session.
RunResult conclude(Session& session, Instant started);

}  // namespace blackstart::engine
