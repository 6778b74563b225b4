// Argo CD's programs as far as anybody waits for them: while they run, Applications are compared
// with the repository, synced and given their status.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/outside/api_server.h"
#include "tests/simulation/outside/helm.h"
#include "tests/simulation/world/sim_world.h"

namespace blackstart::sim {

class ArgoCd {
 public:
  /// `repository` is the folder that "file://…" of the Applications names; its HEAD is `commit`.
  ArgoCd(SimWorld& world, FindCluster clusters, std::string repository, std::string commit);

  /// To be called for each process that starts; others than Argo CD's are ignored.
  void process_started(const SimDaemon& daemon);
  /// To be called for each new cluster: its changes are looked at.
  void watch(ApiServer& server);
  /// Does one of its programs answer on the port by now?
  bool serves(int port) const;

 private:
  struct Rendered;
  const SimDaemon* running(const std::string& program) const;
  bool alive(int pid) const { return world_.processes().find(pid).has_value(); }
  ApiStore* cluster_of(const SimDaemon& daemon) const;
  void start_server(int pid);
  void start_applicationset_controller(int pid);
  void start_application_controller(int pid);
  void die(int pid, const std::string& last_words);
  void look_at(const std::string& application);
  void look_at_all();
  void reconcile(const std::string& application);
  void sync(const std::string& application);
  std::vector<boost::json::value> render(ApiStore& store, const boost::json::value& application);
  boost::json::object compare(ApiStore& store, const boost::json::value& application,
                              const std::vector<boost::json::value>& wanted);
  std::string trouble_with(ApiStore& store, const boost::json::value& application,
                           std::string* type);

  SimWorld& world_;
  FindCluster clusters_;
  std::string repository_;
  std::string commit_;
  std::set<std::string> due_;  // Applications that are about to be looked at
  std::set<std::string> syncing_;
  std::map<int, Instant> started_;  // by process number
};

}  // namespace blackstart::sim
