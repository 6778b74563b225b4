// The main job on real parts: the starter repository, from nothing to a self-managing Argo CD.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;

/// kind/namespace/name -> resourceVersion of everything that a run could have written.
std::map<std::string, std::string> versions(const Rehearsal& rehearsal) {
  std::map<std::string, std::string> found;
  json::value all = rehearsal.get(
      "namespaces,customresourcedefinitions,configmaps,secrets,services,serviceaccounts,"
      "deployments,statefulsets,"
      "roles,rolebindings,clusterroles,clusterrolebindings,networkpolicies,appprojects -A");
  for (const json::value& item : all.at("items").as_array()) {
    const json::object& metadata = item.at("metadata").as_object();
    std::string name = std::string(item.at("kind").as_string()) + "/";
    if (const json::value* space = metadata.if_contains("namespace"))
      name += std::string(space->as_string()) + "/";
    name += metadata.at("name").as_string();
    found[name] = metadata.at("resourceVersion").as_string();
  }
  return found;
}

/// The ports that something listens on, on whatever address.
std::set<int64_t> listening_ports() {
  std::set<int64_t> ports;
  std::istringstream lines(read_file("/proc/net/tcp") + read_file("/proc/net/tcp6"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    words >> number >> local >> remote >> state;
    if (state == "0A") ports.insert(std::stol(local.substr(local.find(':') + 1), nullptr, 16));
  }
  return ports;
}

std::string application(const Rehearsal& rehearsal, const std::string& name,
                        const std::string& path) {
  return rehearsal
      .kubectl({"-n", "argocd", "get", "application", name, "-o", "jsonpath={" + path + "}"})
      .out;
}

void expect_that_the_cluster_is_said_last(const Rehearsal& rehearsal, const Ran& applied) {
  const std::string line = "to look around: export KUBECONFIG=" + rehearsal.kubeconfig() + "\n";
  size_t told = applied.err.find(line);
  ASSERT_NE(told, std::string::npos) << applied.err;
  EXPECT_EQ(applied.err.substr(told + line.size(), 10), "done after") << applied.err;
}

void kill_the_controller(const Rehearsal& rehearsal) {
  for (int pid : processes_with("argocd-application-controller")) {
    std::string command = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (command.find(rehearsal.state()) != std::string::npos) kill(pid, SIGKILL);
  }
}

/// As if we had died between its start and the note of it.
void forget_redis(const Rehearsal& rehearsal) {
  std::string file = rehearsal.state() + "/stages/host/host.json";
  json::value host = json::parse(read_file(file));
  ASSERT_EQ(host.at("processes").at("redis").as_object().erase("pid"), 1u);
  std::ofstream(file) << json::serialize(host);
}

void expect_that_destroy_leaves_nothing(Rehearsal& rehearsal) {
  std::vector<int64_t> ports;
  json::value host = json::parse(read_file(rehearsal.state() + "/stages/host/host.json"));
  for (const auto& [name, port] : host.at("ports").as_object()) ports.push_back(port.as_int64());
  EXPECT_EQ(ports.size(), 9u);
  Ran destroyed = rehearsal.blackstart({"destroy", "--yes"});
  EXPECT_EQ(destroyed.code, 0) << destroyed.all();
  EXPECT_TRUE(rehearsal.processes().empty()) << "no process";
  for (const auto& entry : std::filesystem::directory_iterator(rehearsal.state())) {
    std::string name = entry.path().filename();
    EXPECT_TRUE(name.starts_with("journal.db") || name == "lock") << name;
  }
  auto listening = listening_ports();
  for (int64_t port : ports) EXPECT_FALSE(listening.contains(port)) << port;
}

/// One rehearsal for all tests of this file, and one pass over it: each step stands on the one
/// before.
TEST(Quickstart, FromNothingToASelfManagingArgoCd) {
  for (const char* tool : {"kwokctl", "helm", "argocd", "kustomize", "redis-server"}) {
    if (access(part(tool).c_str(), X_OK) != 0)
      GTEST_SKIP() << "NOT RUN: " << tool << " is not there";
  }
  Rehearsal rehearsal;
  rehearsal.init();

  Ran validated = rehearsal.blackstart({"validate"});
  ASSERT_EQ(validated.code, 0) << validated.all();
  Ran planned = rehearsal.blackstart({"plan", "--detailed-exitcode"});
  EXPECT_EQ(planned.code, 2) << planned.all();
  EXPECT_NE(planned.out.find("CustomResourceDefinition applications.argoproj.io"),
            std::string::npos)
      << planned.out;
  EXPECT_TRUE(rehearsal.processes().empty()) << "plan starts nothing";

  Ran applied = rehearsal.blackstart({"apply"});
  ASSERT_EQ(applied.code, 0) << applied.all();
  expect_that_the_cluster_is_said_last(rehearsal, applied);
  std::string head = rehearsal.git({"rev-parse", "HEAD"}).out;
  head.pop_back();
  for (const char* name : {"root", "argocd", "demo", "demo-kustomize"}) {
    EXPECT_EQ(application(rehearsal, name, ".status.sync.status"), "Synced") << name;
    EXPECT_EQ(application(rehearsal, name, ".status.health.status"), "Healthy") << name;
    EXPECT_EQ(application(rehearsal, name, ".status.sync.revision"), head) << name;
  }

  auto before = versions(rehearsal);
  Ran again = rehearsal.blackstart({"apply"});
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_NE(again.err.find("nothing to do"), std::string::npos);
  EXPECT_EQ(versions(rehearsal), before) << "a second apply writes nothing";
  EXPECT_GT(before.size(), 50u);

  rehearsal.write(
      "applications/demo/configmap-new.yaml",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-git}\ndata: {a: \"1\"}\n");
  rehearsal.git({"add", "-A"});
  ASSERT_EQ(rehearsal.git({"commit", "-qm", "a new ConfigMap"}).code, 0);
  EXPECT_TRUE(eventually(
      [&] {
        return rehearsal.kubectl({"-n", "demo", "get", "configmap", "from-git"}).code == 0;
      },
      std::chrono::seconds(180)))
      << "a commit reaches the cluster with no command of ours";
  EXPECT_TRUE(eventually([&] { return rehearsal.blackstart({"status"}).code == 0; },
                         std::chrono::seconds(60)))
      << rehearsal.blackstart({"status"}).all();

  forget_redis(rehearsal);
  Ran found = rehearsal.blackstart({"apply"});
  EXPECT_NE(found.err.find("nothing to do after"), std::string::npos) << found.all();

  kill_the_controller(rehearsal);
  EXPECT_TRUE(eventually(
      [&] {
        return rehearsal.blackstart({"status", "--only", "host"}).code == 2;
      },
      std::chrono::seconds(60)));
  Ran mended = rehearsal.blackstart({"apply"});
  EXPECT_EQ(mended.code, 0) << mended.all();
  EXPECT_EQ(rehearsal.blackstart({"status"}).code, 0);

  expect_that_destroy_leaves_nothing(rehearsal);
}

const char* kBrokenApps = R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: broken}
spec:
  cluster: {kubeconfig: KUBECONFIG}
  stages:
    - name: bad-path
      uses: argocd.app
      with: {inline: APP_PATH}
    - name: bad-revision
      uses: argocd.app
      with: {inline: APP_REVISION}
    - name: bad-project
      uses: argocd.app
      with: {inline: APP_PROJECT}
    - {name: wait-path, uses: argocd.wait, needs: [bad-path], timeout: 90s, with: {apps: [bad-path]}}
    - {name: wait-revision, uses: argocd.wait, needs: [bad-revision], timeout: 90s, with: {apps: [bad-revision]}}
    - {name: wait-project, uses: argocd.wait, needs: [bad-project], timeout: 90s, with: {apps: [bad-project]}}
)";

std::string with(std::string text, const std::string& word, const std::string& value) {
  return text.replace(text.find(word), word.size(), value);
}

std::string app(const std::string& name, const std::string& project, const std::string& repository,
                const std::string& path, const std::string& revision) {
  return "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: " + name +
         ", namespace: argocd}, spec: {project: " + project + ", source: {repoURL: \"file://" +
         repository + "\", path: " + path + ", targetRevision: " + revision +
         "}, destination: {server: \"https://kubernetes.default.svc\", namespace: demo}, "
         "syncPolicy: {automated: {}}}}";
}

TEST(Quickstart, ApplicationsThatCannotWork_EndEarlyWithArgoCdsOwnWords) {
  for (const char* tool : {"kwokctl", "helm", "argocd", "kustomize", "redis-server"}) {
    if (access(part(tool).c_str(), X_OK) != 0)
      GTEST_SKIP() << "NOT RUN: " << tool << " is not there";
  }
  Rehearsal rehearsal;
  rehearsal.init();
  Ran applied = rehearsal.blackstart({"apply"});
  ASSERT_EQ(applied.code, 0) << applied.all();
  Rehearsal broken;
  std::string plan = with(kBrokenApps, "KUBECONFIG", rehearsal.kubeconfig());
  plan = with(plan, "APP_PATH",
              app("bad-path", "homelab", rehearsal.folder(), "no/such/path", "main"));
  plan = with(
      plan, "APP_REVISION",
      app("bad-revision", "homelab", rehearsal.folder(), "applications/demo", "no-such-branch"));
  plan = with(plan, "APP_PROJECT",
              app("bad-project", "nobody", rehearsal.folder(), "applications/demo", "main"));
  broken.write("plan.yaml", plan);
  Ran ran = broken.blackstart({"apply"});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_NE(ran.err.find("no/such/path"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("no-such-branch"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("nobody"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace blackstart::test
