#include "tests/simulation/outside/kwokctl.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/world/failpoint.h"
#include "tests/simulation/outside/controllers.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr const char* kComponents[] = {"etcd", "kube-apiserver", "kube-controller-manager",
                                       "kube-scheduler", "kwok-controller"};
constexpr const char* kScaled = "kwok.x-k8s.io/kwokctl-scale";
constexpr Duration kBoot = std::chrono::milliseconds(500);
constexpr int kWaitsForApiServer = 120'000;  // milliseconds

const std::map<std::string, std::vector<const char*>> kPorts = {
    {"etcd", {"etcdPort", "etcdPeerPort"}},
    {"kube-apiserver", {"kubeApiserverPort"}},
    {"kube-controller-manager", {"kubeControllerManagerPort"}},
    {"kube-scheduler", {"kubeSchedulerPort"}},
    {"kwok-controller", {"kwokControllerPort"}}};

struct Failure {
  std::string text;
};

std::string option(const std::vector<std::string>& args, const std::string& name) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i].starts_with(name + "=")) return args[i].substr(name.size() + 1);
    if (args[i] == name && i + 1 < args.size()) return args[i + 1];
  }
  return {};
}

bool has_words(const std::vector<std::string>& args, const std::string& first,
               const std::string& second) {
  auto at = std::ranges::find(args, first);
  return at != args.end() && at + 1 != args.end() && *(at + 1) == second;
}

std::string pem(const std::string& kind, const std::string& text) {
  return base64_encode("-----BEGIN " + kind + "-----\n" + base64_encode(text) + "\n-----END " +
                       kind + "-----\n");
}

std::string kubeconfig_text(const std::string& name, int port, const std::string& identity) {
  std::string title = "kwok-" + name;
  json::object cluster{{"server", "https://127.0.0.1:" + std::to_string(port)},
                       {"certificate-authority-data", pem("CERTIFICATE", "ca of " + identity)}};
  json::object user{{"client-certificate-data", pem("CERTIFICATE", "admin of " + identity)},
                    {"client-key-data", pem("PRIVATE KEY", "key of " + identity)}};
  json::object context{{"cluster", title}, {"user", title}};
  return json::serialize(json::object{
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"current-context", title},
      {"clusters", json::array{json::object{{"name", title}, {"cluster", std::move(cluster)}}}},
      {"contexts", json::array{json::object{{"name", title}, {"context", std::move(context)}}}},
      {"users", json::array{json::object{{"name", title}, {"user", std::move(user)}}}}});
}

}  // namespace

Task<void> Kwokctl::pause(int milliseconds, [[maybe_unused]] std::string point) {
  co_await world_.clock().sleep_until(world_.clock().now() +
                                      std::chrono::milliseconds(milliseconds));
#ifdef BLACKSTART_FAILPOINTS
  co_await failpoints::hit("outside.kwokctl." + point);
#endif
}

bool Kwokctl::runs(const Cluster& cluster, const std::string& component) const {
  auto found = cluster.processes.find(component);
  return found != cluster.processes.end() && world_.processes().alive(found->second);
}

bool Kwokctl::reachable(const Cluster& cluster) const {
  return runs(cluster, "etcd") && runs(cluster, "kube-apiserver");
}

std::shared_ptr<ApiServer> Kwokctl::listening_on(int port) const {
  for (const auto& [folder, cluster] : clusters_)
    if (cluster->port == port && reachable(*cluster)) return cluster->server;
  return nullptr;
}

ApiStore* Kwokctl::behind(const std::string& kubeconfig) const {
  if (world_.files().kind(kubeconfig) != FileKind::kFile) return nullptr;
  json::value config = json::parse(world_.files().read(kubeconfig, 1 << 20));
  std::string server(config.at("clusters").as_array().at(0).at("cluster").at("server").as_string());
  auto found = listening_on(std::stoi(server.substr(server.rfind(':') + 1)));
  return found && found->ready ? &found->store() : nullptr;
}

void Kwokctl::process_gone() {
  for (const auto& [folder, cluster] : clusters_)
    if (!reachable(*cluster)) cluster->server->shut_down();
}

Task<Exit> Kwokctl::run(Command command) {
  std::string name = option(command.args, "--name");
  std::string folder = command.environment["KWOK_WORKDIR"] + "/clusters/" + name;
  std::string failure;
  try {
    auto known = clusters_.find(folder);
    std::shared_ptr<Cluster> cluster = known == clusters_.end() ? nullptr : known->second;
    bool readable = world_.files().kind(folder + "/kwok.yaml") == FileKind::kFile;
    if (has_words(command.args, "create", "cluster")) {
      if (readable) throw Failure{"Cluster already exists"};
      co_await create(name, folder, option(command.args, "--config"));
    } else if (!cluster || !readable) {
      throw Failure{"cluster \"" + name + "\" not exists"};
    } else if (has_words(command.args, "start", "cluster")) {
      co_await start_components(*cluster);
    } else if (has_words(command.args, "scale", "node")) {
      int replicas = std::stoi(option(command.args, "--replicas"));
      co_await scale(*cluster, replicas);
    } else if (has_words(command.args, "delete", "cluster")) {
      co_await pause(50, "delete");
      remove(folder);
    } else {
      throw Failure{"not simulated: " + command.display()};
    }
  } catch (const Failure& refused) {
    failure = refused.text;
  }
  Exit exit;
  exit.code = failure.empty() ? 0 : 1;
  if (!failure.empty()) exit.err = failure + "\n";
  co_return exit;
}

Task<void> Kwokctl::create(std::string name, std::string folder, std::string config) {
  SimFiles& files = world_.files();
  json::value options = json::parse(files.read(config, 1 << 20)).at("options");
  files.make_folders(folder, 0755);
  co_await pause(20, "folder");
  auto cluster = std::make_shared<Cluster>();
  cluster->folder = folder;
  cluster->port = static_cast<int>(options.at("kubeApiserverPort").as_int64());
  for (const auto& [component, ports] : kPorts)
    for (const char* port : ports)
      cluster->ports[component].push_back(static_cast<int>(options.at(port).as_int64()));
  std::string identity = "cluster-" + std::to_string(++made_);
  cluster->server = std::make_shared<ApiServer>(world_.clock(), identity);
  add_controllers(cluster->server->store());
  if (on_new_cluster) on_new_cluster(*cluster->server);
  clusters_[folder] = cluster;
  for (const char* component : kComponents)
    files.add(folder + "/bin/" + component, "program", 0755);
  co_await pause(20, "binaries");
  files.add(folder + "/kubeconfig.yaml", kubeconfig_text(name, cluster->port, identity), 0644);
  files.add(folder + "/kwok.yaml", "kind: KwokctlConfiguration\n", 0644);
  co_await pause(20, "config");
  co_await start_components(*cluster);
}

Task<void> Kwokctl::start_components(Cluster& cluster) {
  for (const char* component : kComponents) {
    if (runs(cluster, component)) continue;
    Command command;
    command.program = cluster.folder + "/bin/" + component;
    cluster.processes[component] = world_.processes().start_outside(
        std::move(command), cluster.folder + "/logs/" + component + ".log");
    co_await pause(30, std::string("started.") + component);
    world_.files().add(cluster.folder + "/pids/" + component + ".pid",
                       std::to_string(cluster.processes[component].pid), 0644);
    end_on_taken_port(cluster, component);
  }
  if (!reachable(cluster)) {
    co_await pause(kWaitsForApiServer, "in_vain");
    co_return;  // the real one ends with a warning, too
  }
  if (!cluster.server->ready) {
    std::weak_ptr<ApiServer> server = cluster.server;
    world_.clock().schedule(kBoot, [server] {
      if (auto booted = server.lock()) booted->ready = true;
    });
  }
  co_await pause(static_cast<int>(kBoot.count()) + 10, "up");
}

void Kwokctl::end_on_taken_port(const Cluster& cluster, const std::string& component) {
  for (int port : cluster.ports.at(component)) {
    if (!is_taken || !is_taken(port) || !runs(cluster, component)) continue;
    world_.files().add(cluster.folder + "/logs/" + component + ".log",
                       "I1121 starting\nE1121 \"command failed\" err=\"listen tcp 127.0.0.1:" +
                           std::to_string(port) + ": bind: address already in use\"\n",
                       0644);
    world_.processes().kill(cluster.processes.at(component).pid);
  }
}

Task<void> Kwokctl::scale(Cluster& cluster, int replicas) {
  if (!reachable(cluster) || !cluster.server->ready)
    throw Failure{"Get \"https://127.0.0.1\": dial tcp: connect: connection refused"};
  ApiStore& store = cluster.server->store();
  std::vector<json::value> nodes = store.list(*store.kind_of("v1", "Node"), "");
  int have = static_cast<int>(nodes.size());
  for (; have < replicas; ++have) {
    std::string name = "node-" + std::to_string(have);
    store.apply(json::object{{"apiVersion", "v1"},
                             {"kind", "Node"},
                             {"metadata", {{"name", name}, {"labels", {{kScaled, "node"}}}}}},
                {"kwokctl"});
    co_await pause(10, "node");
  }
  for (; have > replicas; --have) {
    kube::ObjectRef ref("v1", "Node", "", "node-" + std::to_string(have - 1));
    store.remove(ref);
  }
}

void Kwokctl::remove(const std::string& folder) {
  auto cluster = clusters_.at(folder);
  for (const auto& [component, daemon] : cluster->processes) {
    // kwokctl knows a process by the file that it noted its number in.
    std::string noted = folder + "/pids/" + component + ".pid";
    if (world_.files().kind(noted) == FileKind::kFile) world_.processes().kill(daemon.pid);
  }
  world_.files().remove_all(folder);
  clusters_.erase(folder);
}

}  // namespace blackstart::sim
