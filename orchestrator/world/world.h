// All that the program can reach outside itself.
#pragma once

#include <memory>

#include "orchestrator/world/clock.h"
#include "orchestrator/world/files.h"
#include "orchestrator/world/http.h"
#include "orchestrator/world/process.h"

namespace blackstart {

/// The outside, as interfaces. Not owned: the real world (world/real.h) or a simulated one
/// (tests/simulation) owns the parts and outlives every task.
struct World {
  Clock& clock;
  Random& random;
  Processes& processes;
  Http& http;
  Files& files;
  Environment& environment;
  Blocking& blocking;
  Executor executor;
};

}  // namespace blackstart
