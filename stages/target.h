// The cluster that the plan is about: connected once per run, and proven to be the one it was.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/client.h"

namespace blackstart::stages {

/// The stage that must run before the cluster can be spoken to (its kubeconfig is that stage's
/// output), or nullopt when it can be now.
std::optional<std::string> waits_for_cluster(engine::Context& context);

/// A client for the plan's `cluster:`, shared by the run. The first connection compares the
/// cluster's identity with the recorded one and records it when there is none.
/// Throws plan::NotKnownYet, Error(kUnreachable), or Error(kAuthentication) when it is another
/// cluster: nothing was written then.
Task<std::shared_ptr<kube::Client>> connect(engine::Context& context);

/// Of a stage that answers for a cluster: is it the one that the plan is about?
bool is_the_target(engine::Context& context, const kube::Endpoint& endpoint);

/// Throws Error(kAuthentication) when the plan's cluster was another one than `found`; records it
/// when there was none.
Task<void> verify_identity(engine::Context& context, const kube::Endpoint& endpoint,
                           kube::Identity found);

/// The endpoint that a kubeconfig names, with its secrets known to the redactor. `name`: of the
/// context, empty = the current one. Throws as kube::load_kubeconfig does.
kube::Endpoint load_endpoint(engine::Context& context, const std::string& kubeconfig,
                             const std::string& name);

/// To be called by stages that make or remove the cluster: forgets clients and the recorded
/// identity.
Task<void> forget_cluster(engine::Context& context);

}  // namespace blackstart::stages
