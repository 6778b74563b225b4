// The address of an API server as a kubeconfig may write it.
#pragma once

#include <string>

#include "orchestrator/kube/kubeconfig_file.h"

namespace blackstart::kube {

/// A URL without trailing slash, query and fragment. Without a scheme it is http, as kubectl has it
/// whatever else the cluster's entry says of TLS, and then it may have no path. Throws
/// Error(kPermanent) for what is no address, and for one that holds a password.
std::string server_url(const Located& server);

}  // namespace blackstart::kube
