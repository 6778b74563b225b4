#include "tests/simulation/outside/homelab.h"

#include <boost/json/serialize.hpp>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/plan/value.h"
#include "stages/catalog.h"
#include "tests/simulation/outside/render.h"
#include "tests/simulation/outside/starter.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr const char* kCommit = "5d1e0c7a9b3f48526071c2d3e4f5a6b7c8d9e0f1";
constexpr Duration kGitTakes = std::chrono::milliseconds(5);

std::string program_of(const Command& command) {
  const std::string& path = command.argv0.empty() ? command.program : command.argv0;
  return path.substr(path.rfind('/') + 1);
}

bool has_word(const Command& command, const std::string& word) {
  return std::ranges::find(command.args, word) != command.args.end();
}

Exit run_git(const Command& command) {
  if (has_word(command, "config")) return {.code = 1};  // no remote
  std::string revision = command.args.back();
  bool known = revision == "HEAD^{commit}" || revision == "main^{commit}" ||
               revision == std::string(kCommit) + "^{commit}";
  if (!has_word(command, "rev-parse") || !known) return {.code = 1};
  return {.out = std::string(kCommit) + "\n"};
}

Exit run_kustomize(SimWorld& world, const Command& command) {
  std::string text;
  for (const json::value& object : build_kustomization(world.files(), command.args.back()))
    text += "---\n" + json::serialize(object) + "\n";
  return {.out = text};
}

int port_of(const std::string& url) {
  size_t colon = url.find(':', url.find("://") + 3);
  return colon == std::string::npos ? 0 : std::stoi(url.substr(colon + 1));
}

/// What is not the same in two lives of a cluster that stands as it should.
json::value comparable(json::value object) {
  json::object& metadata = object.as_object()["metadata"].as_object();
  std::string managers;
  if (const json::value* entries = kube::find(object, {"metadata", "managedFields"})) {
    std::set<std::string> names;
    for (const json::value& entry : entries->as_array())
      names.insert(kube::text_at(entry, {"manager"}));
    for (const std::string& name : names) managers += name + " ";
  }
  for (const char* key : {"uid", "resourceVersion", "creationTimestamp", "generation"})
    metadata.erase(key);
  metadata["managedFields"] = managers;
  json::value* status = object.get_object().if_contains("status");
  if (status && status->is_object()) status->get_object().erase("observedGeneration");
  return object;
}

bool is_release_record(const json::value& object) {
  return kube::text_at(object, {"type"}) == "helm.sh/release.v1";
}

}  // namespace

Homelab::Homelab(uint64_t seed)
    : world_(seed),
      argocd_(
          world_, [this](const std::string& kubeconfig) { return kwokctl_.behind(kubeconfig); },
          kRepository, kCommit),
      machine_(world_, stages::catalog()) {
  add_starter(world_.files());
  for (const char* tool :
       {"kwokctl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok",
        "kubectl", "helm", "kustomize", "git", "redis-server", "argocd", "chmod"})
    world_.files().add(std::string("/usr/bin/") + tool, "program", 0755);
  world_.files().add("/proc/version", "Linux", 0444);
  world_.http().on_send = [this](HttpRequest request) { return send(std::move(request)); };
  world_.processes().on_run = [this](Command command) { return run_tool(std::move(command)); };
  world_.processes().on_started = [this](const SimDaemon& daemon) { process_started(daemon); };
  world_.processes().on_gone = [this](int pid) { process_gone(pid); };
  kwokctl_.on_new_cluster = [this](ApiServer& server) { argocd_.watch(server); };
}

void Homelab::process_started(const SimDaemon& daemon) {
  std::string folder = "/proc/" + std::to_string(daemon.identity.pid) + "/";
  std::string line = daemon.command.program + '\0';
  for (const std::string& word : daemon.command.args) line += word + '\0';
  std::string environment;
  for (const auto& [name, value] : daemon.command.environment)
    environment += name + "=" + value + '\0';
  world_.files().add(folder + "cmdline", line, 0444);
  world_.files().add(folder + "environ", environment, 0400);
  argocd_.process_started(daemon);
}

void Homelab::process_gone(int pid) {
  world_.files().remove_all("/proc/" + std::to_string(pid));
  kwokctl_.process_gone();
}

Task<Exit> Homelab::run_tool(Command command) {
  std::string program = program_of(command);
  if (program == "kwokctl" || program == "helm") ++tools_at_work_;
  if (program == "kwokctl") co_return co_await kwokctl_.run(std::move(command));
  if (program == "helm" && has_word(command, "upgrade") && weather && weather->next()) {
    Exit broken;
    broken.code = 1;
    broken.err = "Error: Get \"https://127.0.0.1/version\": net/http: i/o timeout\n";
    co_return broken;
  }
  if (program == "helm") {
    FindCluster find = [this](const std::string& path) { return kwokctl_.behind(path); };
    co_return co_await run_simulated_helm(world_, std::move(find), std::move(command));
  }
  co_await world_.clock().sleep_until(world_.clock().now() + kGitTakes);
  Exit exit;
  if (program == "git") {
    exit = run_git(command);
  } else if (program == "kustomize") {
    exit = run_kustomize(world_, command);
  } else if (program != "chmod") {
    throw Error(ErrorClass::kBug, "not simulated: " + command.display());
  }
  co_return exit;
}

Task<HttpResponse> Homelab::send(HttpRequest request) {
  int port = port_of(request.url);
  std::shared_ptr<ApiServer> server = kwokctl_.listening_on(port);
  std::string title = request.method + " " + request.url;
  if (!server && !argocd_.serves(port))
    throw Error(ErrorClass::kUnreachable, title + ": no connection").because("Connection refused");
  if (!server) {
    bool known = request.url.ends_with("/healthz");
    HttpResponse health;
    health.status = known ? 200 : 404;
    co_return health;
  }
  std::optional<Fault> fault;
  if (weather) {
    Duration pause = weather->slowness();
    co_await world_.clock().sleep_until(world_.clock().now() + pause);
    fault = weather->next();
  }
  if (fault && !fault->after_effect) {
    HttpResponse trouble = fault->answer();
    co_return trouble;
  }
  HttpResponse response = co_await ApiServer::send(server, std::move(request));
  if (fault) response = fault->answer();
  co_return response;
}

Outcome Homelab::run() { return run({}); }

Outcome Homelab::run(Request request) {
  request.plan = std::string(kRepository) + "/plan.yaml";
  return machine_.run(request);
}

std::shared_ptr<ApiServer> Homelab::api() const {
  for (int port = 20000; port < 20100; ++port)
    if (auto server = kwokctl_.listening_on(port)) return server;
  return nullptr;
}

int Homelab::writes() {
  auto server = api();
  return (server ? server->store().writes() : 0) + tools_at_work_ +
         static_cast<int>(world_.processes().daemons().size());
}

std::string Homelab::end_state() {
  auto server = api();
  if (!server) return "no cluster\n";
  std::string text;
  std::vector<std::string> records;
  for (const auto& [key, object] : server->store().all()) {
    if (is_release_record(object)) {
      std::string status = kube::text_at(object, {"metadata", "labels", "status"});
      if (status != "superseded") text += "helm release: " + status + "\n";
      continue;
    }
    text += key + " " + plan::Value::of(comparable(object), {}).canonical() + "\n";
  }
  std::multiset<std::string> programs;
  for (const auto& [pid, daemon] : world_.processes().daemons())
    programs.insert(program_of(daemon.command));
  for (const std::string& program : programs) text += "runs: " + program + "\n";
  for (const char* stage : {"argocd", "cluster", "host"}) {
    std::string folder = machine_.state_folder() + "/stages/" + stage;
    if (world_.files().kind(folder) != FileKind::kFolder) continue;
    for (const std::string& name : world_.files().list(folder))
      text += "state: " + std::string(stage) + "/" + name + "\n";
  }
  return text;
}

std::vector<std::string> Homelab::broken_promises() {
  std::vector<std::string> broken;
  std::map<std::string, int> programs;
  for (const auto& [pid, daemon] : world_.processes().daemons())
    ++programs[program_of(daemon.command)];
  for (const auto& [program, count] : programs)
    if (count > 1) broken.push_back(std::to_string(count) + " processes of " + program);
  return broken;
}

}  // namespace blackstart::sim
