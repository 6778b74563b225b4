// Programs that hand out credentials: "exec" in a kubeconfig's user.
//
// The protocol is client.authentication.k8s.io: kubernetes.io, "Authenticating", "client-go
// credential plugins". client-go's answer is the reference.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/place.h"
#include "orchestrator/world/world.h"

namespace blackstart::kube {

/// How the kubeconfig says the plugin is to be run.
struct ExecPlugin {
  Place place;
  std::string command;  // absolute, or a bare name that is looked for on PATH
  std::vector<std::string> args;
  std::map<std::string, std::string> environment;  // on top of ours; may hold secrets
  std::string api_version;  // "client.authentication.k8s.io/v1" or "…/v1beta1"
  std::string interactive_mode;
  std::string install_hint;
  bool provide_cluster_info = false;
};

/// What it answered with. All but the time is secret.
struct ExecCredential {
  std::string token;
  std::string certificate, key;  // PEM; both or none
  std::optional<WallTime> expires;
};

/// Runs it once, stdin closed, and reads its answer. `cluster` is told to it when it asks for that
/// (the protocol's spec.cluster). `on_secret` hears each secret before anything else is done with
/// it. Throws Error(kAuthentication) with the plugin's own last words on stderr.
Task<ExecCredential> run_exec_plugin(World& world, const ExecPlugin& plugin,
                                     boost::json::value cluster,
                                     std::function<void(std::string_view)> on_secret);

}  // namespace blackstart::kube
