#include "tests/integration/real_cluster.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <filesystem>

#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::test {

namespace {

constexpr const char* kName = "kube-tests";

std::string missing_parts() {
  std::string missing;
  for (const char* tool : {"kwokctl", "kwok", "etcd", "kube-apiserver", "kube-controller-manager",
                           "kube-scheduler", "kubectl"}) {
    if (access(part(tool).c_str(), X_OK) != 0)
      missing += missing.empty() ? part(tool) : ", " + part(tool);
  }
  return missing;
}

std::vector<std::string> arguments_of(int pid) {
  const std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
  std::vector<std::string> arguments;
  for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1)
    arguments.push_back(line.substr(at, line.find('\0', at) - at));
  return arguments;
}

// The process in `folder` whose program is `program`; 0 when there is none.
int process_of(const std::string& folder, const std::string& program) {
  for (const int pid : processes_with(folder)) {
    const auto arguments = arguments_of(pid);
    if (!arguments.empty() && arguments[0].ends_with("/" + program)) return pid;
  }
  return 0;
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
  char name[] = "/tmp/blackstart-kube-XXXXXX";
  folder_ = mkdtemp(name);
  kubeconfig_ = folder_ + "/kubeconfig";
  start_watchdog();
  const Ran made =
      kwokctl({"create", "cluster", "--runtime", "binary", "--kubeconfig", kubeconfig_, "--wait",
               "60s", "--etcd-binary", part("etcd"), "--kube-apiserver-binary",
               part("kube-apiserver"), "--kube-controller-manager-binary",
               part("kube-controller-manager"), "--kube-scheduler-binary", part("kube-scheduler"),
               "--kwok-controller-binary", part("kwok")});
  if (made.code != 0) failure_ = "kwokctl create cluster failed: " + made.all();
}

RealCluster::~RealCluster() {
  if (lifeline_ < 0) return;
  revived_.reset();
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
  invocation.environment = {{"KWOK_WORKDIR", folder_ + "/kwok"}, {"HOME", folder_}};
  invocation.timeout = std::chrono::seconds(120);
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
  api_server_ = arguments_of(pid);
  revived_.reset();
  kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([this] { return process_of(folder_, "kube-apiserver") == 0; },
                         std::chrono::seconds(10)));
}

void RealCluster::start_api_server() {
  Invocation invocation;
  invocation.argv = api_server_;
  invocation.timeout = std::chrono::seconds(600);
  revived_ = std::make_unique<Background>(invocation);
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
