// helm: upgrade --install, uninstall, template, version; its records as the real one writes them.
#pragma once

#include "orchestrator/world/process.h"
#include "tests/simulation/outside/api_store.h"
#include "tests/simulation/world/sim_world.h"

namespace blackstart::sim {

/// Finds the store behind a kubeconfig; null when nobody answers there.
using FindCluster = std::function<ApiStore*(const std::string& kubeconfig)>;

/// Runs one helm command. It changes the cluster step by step, a while apart: killed in between it
/// leaves what the real one leaves, a pending record and some of the objects.
Task<Exit> run_simulated_helm(SimWorld& world, FindCluster clusters, Command command);

}  // namespace blackstart::sim
