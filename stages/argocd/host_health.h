// What answers on the ports of the host processes.
#pragma once

#include "orchestrator/world/world.h"

namespace blackstart::stages::argocd {

/// Any answer from the port on 127.0.0.1 counts, even one that is no HTTP.
Task<bool> is_port_taken(World& world, int port);

/// Sets `healthy` to what the health check on that port says; no answer is "no". Throws only when
/// cancelled.
Task<void> ask_health(World& world, int port, bool& healthy);

}  // namespace blackstart::stages::argocd
