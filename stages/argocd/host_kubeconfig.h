// The kubeconfig that the host processes are given: of one cluster, whatever the user's file
// selects.
#pragma once

#include <string>

#include "orchestrator/world/files.h"

namespace blackstart::stages::argocd {

struct HostKubeconfig {
  std::string text;    // JSON, which every reader of a kubeconfig takes; may hold secrets
  std::string digest;  // another one for another cluster, even at the same path and address
};

/// Reads the file and keeps of it what `context` (empty = the current one) names, as the current
/// one: some of Argo CD's programs can only be told by KUBECONFIG. Paths in it become absolute.
/// Throws Error(kPermanent) for what is no kubeconfig.
HostKubeconfig make_host_kubeconfig(const Files& files, const std::string& path,
                                    const std::string& context);

}  // namespace blackstart::stages::argocd
