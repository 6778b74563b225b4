// What a person types.
#pragma once

#include <string>

#include "orchestrator/world/task.h"

namespace blackstart {

/// Waits for the next line on stdin, which must be a terminal; empty at its end. Occupies no
/// thread, and can be cancelled. Throws Error(kPermanent) with the system's reason.
Task<std::string> read_typed_line();

}  // namespace blackstart
