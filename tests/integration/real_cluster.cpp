#include "tests/integration/real_cluster.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::test {

namespace {

constexpr const char* kName = "kube-tests";
constexpr int kAttempts = 2;

struct Component {
  const char* process;
  const char* program;  // of ours, the same in kwokctl's configuration
  const char* option;
};
constexpr Component kComponents[] = {
    {"etcd", "etcd", "etcdBinary"},
    {"kube-apiserver", "kube-apiserver", "kubeApiserverBinary"},
    {"kube-controller-manager", "kube-controller-manager", "kubeControllerManagerBinary"},
    {"kube-scheduler", "kube-scheduler", "kubeSchedulerBinary"},
    {"kwok-controller", "kwok", "kwokControllerBinary"}};

// In place of kwok's own: a pod has the status that its annotation "played" holds, and stays
// Pending without; a node is ready.
constexpr const char* kStages = R"(
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-played}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
      - {key: '.metadata.annotations["played"]', operator: Exists}
      - {key: .status.podIP, operator: DoesNotExist}
  next:
    statusTemplate: |
      {{ index .metadata.annotations "played" }}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-deleted}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: Exists}
  next:
    finalizers: {empty: true}
    delete: true
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: node-ready}
spec:
  resourceRef: {apiGroup: v1, kind: Node}
  selector:
    matchExpressions:
      - key: '.status.conditions.[] | select( .type == "Ready" ) | .status'
        operator: NotIn
        values: ["True"]
  next:
    statusTemplate: |
      {{ $now := Now }}
      allocatable: {cpu: 1k, memory: 1Ti, pods: 1M}
      capacity: {cpu: 1k, memory: 1Ti, pods: 1M}
      conditions:
      - type: Ready
        status: "True"
        reason: KubeletReady
        lastHeartbeatTime: {{ $now | Quote }}
        lastTransitionTime: {{ $now | Quote }}
)";

std::string missing_parts() {
  std::string missing;
  auto look_for = [&missing](const std::string& tool) {
    if (access(part(tool).c_str(), X_OK) != 0)
      missing += missing.empty() ? part(tool) : ", " + part(tool);
  };
  look_for("kwokctl");
  look_for("kubectl");
  for (const Component& component : kComponents) look_for(component.program);
  return missing;
}

std::vector<std::string> arguments_of(int pid) {
  const std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
  std::vector<std::string> arguments;
  for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1)
    arguments.push_back(line.substr(at, line.find('\0', at) - at));
  return arguments;
}

// The value of --name=value; a reference, so that it can be changed.
std::string& argument(std::vector<std::string>& arguments, const std::string& name) {
  const auto found = std::ranges::find_if(
      arguments, [&](const std::string& one) { return one.starts_with("--" + name + "="); });
  if (found == arguments.end()) throw std::runtime_error("no --" + name + " on the command line");
  return *found;
}

bool is_listened_to(int port) {
  const int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = connect(one, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(one);
  return connected;
}

// The process in `folder` whose program is `program`; 0 when there is none.
int process_of(const std::string& folder, const std::string& program) {
  for (const int pid : processes_with(folder)) {
    const auto arguments = arguments_of(pid);
    if (!arguments.empty() && arguments[0].ends_with("/" + program)) return pid;
  }
  return 0;
}

// kwokctl's own choice of ports is the same for all who ask at the same moment.
std::string configuration() {
  RealWorld world;
  boost::json::object options{
      {"runtime", "binary"}, {"bindAddress", "127.0.0.1"}, {"kubectlBinary", part("kubectl")}};
  for (const char* port : {"etcdPeerPort", "etcdPort", "kubeApiserverPort",
                           "kubeControllerManagerPort", "kubeSchedulerPort", "kwokControllerPort"})
    options[port] = world.world().environment.free_port();
  for (const Component& component : kComponents)
    options[component.option] = part(component.program);
  return boost::json::serialize(boost::json::object{{"apiVersion", "config.kwok.x-k8s.io/v1alpha1"},
                                                    {"kind", "KwokctlConfiguration"},
                                                    {"options", std::move(options)}}) +
         kStages;
}

// All that runs from the folder: its name is in every command line and nobody else's.
void take_away(const std::string& folder) {
  for (const int pid : processes_with(folder)) kill(pid, SIGKILL);
  eventually([&] { return processes_with(folder).empty(); }, std::chrono::seconds(5));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace

RealCluster& RealCluster::get() {
  static RealCluster cluster;
  return cluster;
}

RealCluster::RealCluster() {
  const std::string missing = missing_parts();
  if (!missing.empty()) {
    failure_ = "NOT RUN: missing " + missing + "; scripts/parts/build makes them";
    return;
  }
  folder_ = (std::filesystem::temp_directory_path() / "blackstart-kube-XXXXXX").string();
  if (mkdtemp(folder_.data()) == nullptr) {
    failure_ = "cannot make the folder " + folder_;
    return;
  }
  kubeconfig_ = folder_ + "/kubeconfig";
  start_watchdog();
  // Another program may take a port between its choice and its use.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    failure_ = create(folder_ + "/" + std::to_string(attempt));
    if (failure_.empty()) return;
  }
}

std::string RealCluster::create(const std::string& folder) {
  work_folder_ = folder + "/kwok";
  std::filesystem::create_directories(work_folder_);
  std::ofstream(folder + "/kwokctl.json") << configuration();
  const Ran made = kwokctl({"create", "cluster", "--config", folder + "/kwokctl.json",
                            "--kubeconfig", kubeconfig_, "--timeout", "60s", "--wait", "60s"});
  const auto all_run = [&folder] {
    return std::ranges::all_of(kComponents, [&folder](const Component& component) {
      return process_of(folder, component.process) != 0;
    });
  };
  // kube-controller-manager gives up on an API server that takes longer than ten seconds.
  if (!all_run()) kwokctl({"start", "cluster", "--timeout", "60s"});
  // kwokctl is content with a cluster that did not come up in time.
  const Ran ready = kubectl({"get", "--raw", "/readyz"});
  if (made.code == 0 && ready.code == 0 && all_run()) {
    for (const char* name : {"kube-controller-manager", "kube-scheduler"})
      controllers_.push_back(arguments_of(process_of(folder, name)));
    return {};
  }
  std::string failure = "kwokctl create cluster failed: " + made.all() + ready.all();
  for (const Component& component : kComponents)
    failure += std::string(component.process) + ": " + last_line_of(component.process) + "\n";
  take_away(folder);
  return failure;
}

std::string RealCluster::last_line_of(const std::string& component) const {
  std::string log = read_file(work_folder_ + "/clusters/" + kName + "/logs/" + component + ".log");
  while (log.ends_with('\n')) log.pop_back();
  return log.substr(log.rfind('\n') + 1);
}

RealCluster::~RealCluster() {
  if (lifeline_ < 0) return;
  revived_.reset();
  revived_controllers_.clear();
  close(lifeline_);
  waitpid(watchdog_, nullptr, 0);
}

// Forked before there are threads or clusters; lives on when the test program is killed.
void RealCluster::start_watchdog() {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  watchdog_ = fork();
  if (watchdog_ == 0) {
    close(ends[1]);
    setsid();
    char byte;
    while (::read(ends[0], &byte, 1) < 0) {
    }
    take_away(folder_);
    _exit(0);
  }
  close(ends[0]);
  lifeline_ = ends[1];
}

Ran RealCluster::kwokctl(std::vector<std::string> args) const {
  Invocation invocation;
  invocation.argv = {part("kwokctl"), "--name", kName};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  invocation.environment = {{"KWOK_WORKDIR", work_folder_}, {"HOME", folder_}};
  invocation.timeout = std::chrono::seconds(180);
  return test::run(invocation);
}

Ran RealCluster::kubectl(std::vector<std::string> args, const std::string& input) const {
  Invocation invocation;
  invocation.argv = {part("kubectl"), "--kubeconfig", kubeconfig_};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  invocation.input = input;
  invocation.timeout = std::chrono::seconds(60);
  return test::run(invocation);
}

void RealCluster::kill_api_server() {
  const int pid = process_of(folder_, "kube-apiserver");
  ASSERT_GT(pid, 0);
  if (api_server_.empty()) api_server_ = arguments_of(pid);
  revived_.reset();
  kill(pid, SIGKILL);
  // A process leaves /proc's command lines before its sockets are closed: the next one needs the
  // port.
  const std::string& port = argument(api_server_, "secure-port");
  const int number = std::stoi(port.substr(port.find('=') + 1));
  ASSERT_TRUE(eventually(
      [&] { return process_of(folder_, "kube-apiserver") == 0 && !is_listened_to(number); },
      std::chrono::seconds(10)));
}

void RealCluster::start_api_server() {
  Invocation invocation;
  invocation.argv = api_server_;
  invocation.timeout = std::chrono::seconds(600);
  revived_ = std::make_unique<Background>(invocation);
}

void RealCluster::revive_controllers() {
  for (const std::vector<std::string>& line : controllers_) {
    const std::string program = line[0].substr(line[0].rfind('/') + 1);
    if (process_of(folder_, program) != 0) continue;
    Invocation invocation;
    invocation.argv = line;
    revived_controllers_.push_back(std::make_unique<Background>(invocation));
  }
}

void RealCluster::use_certificate(const std::string& certificate_file,
                                  const std::string& key_file) {
  argument(api_server_, "tls-cert-file") = "--tls-cert-file=" + certificate_file;
  argument(api_server_, "tls-private-key-file") = "--tls-private-key-file=" + key_file;
}

std::string RealCluster::pki(const std::string& file) const {
  return work_folder_ + "/clusters/" + kName + "/pki/" + file;
}

std::string RealCluster::etcd_url() const {
  auto arguments = arguments_of(process_of(folder_, "etcd"));
  const std::string& urls = argument(arguments, "listen-client-urls");
  return urls.substr(urls.find('=') + 1);
}

void RealCluster::signal_etcd(int number) const {
  const int pid = process_of(folder_, "etcd");
  ASSERT_GT(pid, 0);
  kill(pid, number);
}

void OnRealCluster::SetUp() {
  if (!cluster().usable()) {
    if (cluster().failure().starts_with("NOT RUN")) GTEST_SKIP() << cluster().failure();
    FAIL() << cluster().failure();
  }
  world_ = std::make_unique<RealWorld>();
  client_ = std::make_unique<kube::Client>(
      world_->world(), kube::load_kubeconfig(world_->world().files, {cluster().kubeconfig()}, ""));
  static int count = 0;
  name_space_ = "test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
  const Ran made = cluster().kubectl({"create", "namespace", name_space_});
  ASSERT_EQ(made.code, 0) << made.all();
}

void OnRealCluster::TearDown() { client_.reset(); }

void OnRealCluster::run(Task<void> task) {
  world_->run(std::move(task), [](int, int) {});
}

kube::Manifests OnRealCluster::read(const std::string& yaml) {
  Diagnostics diagnostics;
  kube::Manifests set = kube::read_manifests(yaml, "test.yaml", diagnostics);
  kube::throw_if_broken(diagnostics, "test.yaml");
  return set;
}

void OnRealCluster::apply(const kube::Manifests& set, bool force) {
  kube::ApplySetOptions options;
  options.default_namespace = name_space_;
  options.force = force;
  run(kube::apply_set(client(), set, options));
}

std::vector<kube::ObjectState> OnRealCluster::compare(const kube::Manifests& set) {
  return result(kube::compare(client(), set, name_space_, "blackstart"));
}

boost::json::value OnRealCluster::live(const kube::ObjectRef& ref) {
  auto found = result(client().get(ref));
  return found ? *found : boost::json::value();
}

std::string OnRealCluster::version_of(const kube::ObjectRef& ref) {
  return kube::text_at(live(ref), {"metadata", "resourceVersion"});
}

}  // namespace blackstart::test
