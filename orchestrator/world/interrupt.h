// Work that a flag can end.
#pragma once

#include "orchestrator/world/async.h"

namespace blackstart {

/// Runs `task` until `stop` is set; then the task is cancelled and, once it has cleaned up, false
/// is returned. True when it ended by itself; its exceptions pass through. Both must outlive the
/// call.
Task<bool> run_unless(Event& stop, Task<void> task);

}  // namespace blackstart
