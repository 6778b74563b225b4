// What readiness needs to know beside the object itself.
#pragma once

#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::kube {

/// Reads what the readiness of these objects depends on; nothing when none of them asks for it.
/// What cannot be read is left out. Never throws but when cancelled.
Task<Surroundings> look_around(Client& client,
                               const std::vector<const boost::json::value*>& objects);

}  // namespace blackstart::kube
