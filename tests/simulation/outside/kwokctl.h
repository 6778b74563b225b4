// kwokctl and the control planes it starts: processes, files and API servers as the real one leaves
// them, finished or killed half-way.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/simulation/outside/api_server.h"
#include "tests/simulation/world/sim_world.h"

namespace blackstart::sim {

class Kwokctl {
 public:
  explicit Kwokctl(SimWorld& world) : world_(world) {}

  /// create cluster, start cluster, scale node, delete cluster.
  Task<Exit> run(Command command);
  /// The API server that listens on the port; null when its processes do not run.
  std::shared_ptr<ApiServer> listening_on(int port) const;
  /// The store behind a kubeconfig; null when nobody answers there.
  ApiStore* behind(const std::string& kubeconfig) const;
  /// To be called when a process has ended.
  void process_gone();
  /// Called for each new cluster.
  std::function<void(ApiServer&)> on_new_cluster;
  /// Does another program hold the port? A component that finds its own taken ends at once. May be
  /// empty: none is taken.
  std::function<bool(int port)> is_taken;
  /// How many clusters were ever made.
  int made() const { return made_; }

 private:
  struct Cluster {
    std::string folder;
    int port = 0;
    std::map<std::string, std::vector<int>> ports;  // by component
    std::shared_ptr<ApiServer> server;  // what etcd holds; reachable while its processes run
    std::map<std::string, Daemon> processes;
  };
  Task<void> create(std::string name, std::string folder, std::string config);
  Task<void> start_components(Cluster& cluster);
  void end_on_taken_port(const Cluster& cluster, const std::string& component);
  Task<void> scale(Cluster& cluster, int replicas);
  void remove(const std::string& folder);
  bool runs(const Cluster& cluster, const std::string& component) const;
  bool reachable(const Cluster& cluster) const;
  Task<void> pause(int milliseconds, std::string point);

  SimWorld& world_;
  std::map<std::string, std::shared_ptr<Cluster>> clusters_;  // by folder
  int made_ = 0;
};

}  // namespace blackstart::sim
