// What readiness needs to know beside the object itself.
#pragma once

#include <optional>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::kube {

/// Reads what the readiness of these objects depends on; nothing when none of them asks for it.
/// What cannot be read is left out. Never throws but when cancelled.
Task<Surroundings> look_around(Client& client,
                               const std::vector<const boost::json::value*>& objects);

/// Of a PersistentVolumeClaim that is Pending: what its StorageClass makes of it. nullopt for
/// everything else, and when the class is not known.
std::optional<Readiness> claim_within(const boost::json::value& object, const Surroundings& around);

}  // namespace blackstart::kube
