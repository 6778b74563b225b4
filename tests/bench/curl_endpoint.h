// curl with nothing around it, set up for an API server: what the program's own client is measured
// against.
#pragma once

#include <curl/curl.h>

#include <string>

#include "orchestrator/kube/kubeconfig.h"

namespace blackstart::test {

/// The cluster of a kubeconfig that names no plugins; throws Error.
kube::Endpoint endpoint_of(const std::string& kubeconfig);

/// A handle that trusts and identifies itself as `endpoint` says, over HTTP/2; `endpoint` outlives
/// it.
CURL* easy_for(const kube::Endpoint& endpoint);

}  // namespace blackstart::test
