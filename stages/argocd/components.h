// The programs that Argo CD is made of, as host processes beside a simulated cluster: pure
// description.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

namespace blackstart::stages::argocd {

/// Ports on 127.0.0.1 by name ("redis", "server", "server-metrics", …).
using Ports = std::map<std::string, int>;

/// What the command lines depend on.
struct HostSettings {
  std::string folder;             // of the stage: all that the processes write is below it
  std::string kubeconfig_digest;  // of the file below `folder`: tells one cluster from another
  std::string name_space;         // where Argo CD is installed
  std::string log_level;
  std::string
      redis_password;  // a secret: reaches the processes in their environment and redis.conf
  Ports ports;
};

/// One program.
struct Component {
  std::string name;     // "redis", "repo-server", …: as in Argo CD's own labels
  std::string tool;     // what Tools::find is asked for
  std::string argv0;    // Argo CD's one binary chooses by it; empty for redis
  std::string cluster;  // kubeconfig_digest of those that talk to the cluster
  std::vector<std::string> arguments;
  std::vector<std::string> ports;  // the names of those that it listens on
  std::string health_port;         // where GET /healthz answers; empty: being alive is all
  bool needs_workload =
      true;  // starts once the chart's own workload is there, with its environment
  bool needs_server_key = false;  // starts once argocd-server has written server.secretkey

  /// As the program is called: "argocd-server", "redis-server".
  const std::string& program() const { return argv0.empty() ? tool : argv0; }
  /// Tells a process that was started with other arguments or for another cluster.
  std::string digest() const;
};

/// All of them, in an order in which each comes after what it talks to.
std::vector<Component> components(const HostSettings& settings);
/// Their names, for the options table.
std::vector<std::string> component_names();
/// The names of all ports.
std::vector<std::string> port_names();

/// The environment of all components but for PATH, HOME and the like.
std::map<std::string, std::string> host_environment(const HostSettings& settings);
/// Where the processes' own kubeconfig is.
std::string kubeconfig_file(const std::string& folder);
/// What redis is configured with; holds the password.
std::string redis_configuration(const HostSettings& settings);
/// A socket of the repo-server; kept short, as the kernel wants it.
std::string askpass_socket(const std::string& folder);

/// The environment that a workload's first container takes from ConfigMaps: so that settings in Git
/// reach the host processes as they would reach the pods. `config_maps`: name -> object.
std::map<std::string, std::string> workload_environment(
    const boost::json::value& workload,
    const std::map<std::string, const boost::json::value*>& config_maps);

}  // namespace blackstart::stages::argocd
