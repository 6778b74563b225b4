// What the controller manager, the scheduler and kwok make of objects, as far as anybody waits for
// it.
#pragma once

#include "tests/simulation/outside/api_store.h"

namespace blackstart::sim {

/// Workloads become available and nodes ready a while after they were changed. Lives as long as the
/// store, of which it is a part.
void add_controllers(ApiStore& store);

}  // namespace blackstart::sim
