// In whose name requests are made, as headers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/kube/kubeconfig_file.h"

namespace blackstart::kube {

/// Names and values, a name as often as it has values; empty when nobody is impersonated.
/// kubernetes.io, "Authenticating", "User impersonation"; keys are escaped as client-go does it.
std::vector<std::pair<std::string, std::string>> headers_of(const Impersonation& as);

}  // namespace blackstart::kube
