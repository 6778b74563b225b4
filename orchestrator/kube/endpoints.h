// Who stands behind a Service.
#pragma once

#include <vector>

#include "orchestrator/kube/client.h"

namespace blackstart::kube {

/// Does any of its endpoints take connections? True for one that has its address elsewhere
/// (ExternalName). Throws as Client::list does.
Task<bool> has_ready_endpoint(Client& client, boost::json::value service);

/// The Deployments, StatefulSets and DaemonSets whose pods a Service selects; at most a handful.
/// Throws as Client::list does.
Task<std::vector<boost::json::value>> workloads_behind(Client& client, boost::json::value service);

}  // namespace blackstart::kube
