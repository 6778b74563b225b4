// So that silence never means "hung".
#pragma once

#include "orchestrator/engine/session.h"

namespace blackstart::engine {

/// Publishes a Heartbeat for every running stage each 10 s. Never ends by itself.
Task<void> heartbeats(Session& session);

}  // namespace blackstart::engine
