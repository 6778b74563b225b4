#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/argocd/host_kubeconfig.h"
#include "stages/argocd/host_state.h"
#include "stages/argocd/host_status.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages::argocd {
namespace {

using engine::Decision;
using engine::Observation;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

HostSettings settings() {
  HostSettings settings{"/state/host", "cluster-a", "argocd", "warn", "hunter2", {}};
  int port = 1000;
  for (const std::string& name : port_names()) settings.ports[name] = ++port;
  return settings;
}

HostStatus all(bool running, bool serving) {
  HostStatus status;
  for (Component& component : components(settings())) {
    ComponentStatus one;
    one.component = std::move(component);
    one.known = one.running = running;
    one.serving = serving;
    status.components.push_back(std::move(one));
  }
  status.leftovers = running;
  return status;
}

std::vector<std::string> actions(const HostStatus& status) {
  std::vector<std::string> ids;
  for (const auto& action : decide_host(status, describe_host(status)).actions)
    ids.push_back(action.id);
  return ids;
}

TEST(HostComponents, ListenOnPortsOfTheirOwnAndShowNoPassword) {
  std::set<std::string> ports;
  for (const Component& component : components(settings())) {
    for (const std::string& port : component.ports) EXPECT_TRUE(ports.insert(port).second) << port;
    for (const std::string& argument : component.arguments)
      EXPECT_THAT(argument, Not(HasSubstr("hunter2"))) << component.name;
  }
  EXPECT_EQ(ports.size(), port_names().size());
  EXPECT_THAT(redis_configuration(settings()), HasSubstr("requirepass hunter2"));
}

TEST(HostComponents, AnotherClusterOrPort_IsAnotherDigestOfWhatDependsOnIt) {
  HostSettings other = settings();
  other.kubeconfig_digest = "cluster-b";
  auto before = components(settings()), after = components(other);
  for (size_t i = 0; i < before.size(); ++i) {
    bool talks = before[i].name != "redis" && before[i].name != "repo-server";
    EXPECT_EQ(before[i].digest() != after[i].digest(), talks) << before[i].name;
  }
}

TEST(HostComponents, TheSocketPath_IsAlwaysShortEnoughForTheKernel) {
  EXPECT_EQ(askpass_socket("/s"), "/s/askpass.sock");
  EXPECT_LE(askpass_socket("/" + std::string(200, 'x')).size(), 100u);
  EXPECT_NE(askpass_socket("/" + std::string(200, 'x')),
            askpass_socket("/" + std::string(200, 'y')));
}

TEST(HostComponents, SettingsInConfigMaps_ReachTheProcessesAsTheyWouldThePods) {
  auto workload = boost::json::parse(R"({"spec": {"template": {"spec": {"containers": [{"env": [
      {"name": "ARGOCD_RECONCILIATION_TIMEOUT",
       "valueFrom": {"configMapKeyRef": {"name": "argocd-cm", "key": "timeout.reconciliation", "optional": true}}},
      {"name": "NOT_SET", "valueFrom": {"configMapKeyRef": {"name": "argocd-cm", "key": "other"}}},
      {"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "argocd-redis", "key": "auth"}}},
      {"name": "HELM_CACHE_HOME", "value": "/helm"}]}]}}}})");
  auto config = boost::json::parse(R"({"data": {"timeout.reconciliation": "10s"}})");
  EXPECT_THAT(workload_environment(workload, {{"argocd-cm", &config}}),
              ElementsAre(std::pair("ARGOCD_RECONCILIATION_TIMEOUT", "10s")));
  EXPECT_TRUE(workload_environment(boost::json::object(), {}).empty());
}

TEST(HostDecision, EachIsStartedAsSoonAsNothingIsMissingForIt) {
  HostStatus status = all(false, false);
  for (size_t i = 1; i < status.components.size(); ++i)
    status.components[i].waits_for = "the chart";
  EXPECT_THAT(actions(status), ElementsAre("start-redis"));
  status.components[0].running = status.components[0].serving = true;
  Decision decision = decide_host(status, describe_host(status));
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("argocd-server is not running, it waits for the chart"));
}

TEST(HostDecision, AKilledOne_IsSeenWithItsLastWordsAndStartedAgain) {
  HostStatus status = all(true, true);
  EXPECT_EQ(describe_host(status).state, Observation::State::kPresent);
  status.components[1].running = status.components[1].serving = false;
  status.components[1].last_words = {"one", "panic: no"};
  Observation seen = describe_host(status);
  EXPECT_EQ(seen.state, Observation::State::kDiffers);
  EXPECT_EQ(seen.reason, "argocd-repo-server is not running any more; it said last: panic: no");
  EXPECT_THAT(actions(status), ElementsAre("start-repo-server"));
}

TEST(HostDecision, OneThatEndsWheneverItIsStarted_IsNotStartedForEver) {
  HostStatus status = all(true, true);
  status.components[2].running = status.components[2].serving = false;
  status.components[2].last_words = {"bad flag"};
  status.components[2].starts = 2;
  EXPECT_THAT(actions(status), ElementsAre("start-server"));
  status.components[2].starts = 3;
  Decision decision = decide_host(status, describe_host(status));
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("argocd-server was started 3 times and ended each time"));
  EXPECT_THAT(decision.causes, ElementsAre("bad flag"));
}

TEST(HostDecision, OneForAnotherCluster_IsRestarted) {
  HostStatus status = all(true, true);
  status.components[3].outdated = true;
  EXPECT_THAT(actions(status), ElementsAre("start-application-controller"));
  EXPECT_THAT(describe_host(status).reason,
              HasSubstr("with other arguments or for another cluster"));
}

TEST(HostDecision, Running_ButNotServing_IsWaitedFor) {
  HostStatus status = all(true, true);
  status.components[2].serving = false;
  EXPECT_EQ(decide_host(status, describe_host(status)).kind, Decision::Kind::kWait);
}

TEST(HostDecision, Removal_StopsWhatIsThereEvenWithoutACluster) {
  HostStatus status = all(true, false);
  status.trouble = Error(ErrorClass::kUnreachable, "no API server");
  EXPECT_EQ(decide_host_removal(status).actions.at(0).id, "stop");
  EXPECT_EQ(decide_host_removal(HostStatus{}).kind, Decision::Kind::kSatisfied);
}

constexpr const char* kEnvironment = "/proc/77/environ";

TEST(HostState, SurvivesTheRun_AndADamagedFileIsAnEmptyOne) {
  Bench bench("argocd.host", "{}");
  World& world = bench.context().world();
  auto state = HostState::load(world, "/state/host");
  state.ports["redis"] = 1234;
  state.redis_password = "p";
  state.started["redis"] = {Daemon{42, 4242}, "digest"};
  state.save();
  auto again = HostState::load(world, "/state/host");
  EXPECT_EQ(again.ports, state.ports);
  EXPECT_EQ(again.started.at("redis").daemon->pid, 42);
  EXPECT_EQ(again.started.at("redis").daemon->start_time, 4242u);
  EXPECT_EQ(again.started.at("redis").digest, "digest");
  bench.files.content["/state/host/host.json"] = "{\"ports\": {\"re";
  EXPECT_TRUE(HostState::load(world, "/state/host").started.empty());
}

TEST(HostState, AProcessStartedJustBeforeACrash_IsFoundByItsMark) {
  Bench bench("argocd.host", "{}");
  World& world = bench.context().world();
  auto state = HostState::load(world, "/state/host");
  auto [name, value] = state.mark("server");
  bench.files.content[kEnvironment] =
      std::string("HOME=/x\0", 8) + name + "=" + value + std::string("\0A=b\0", 5);
  bench.files.content["/proc/78/environ"] = name + "=/other/server";
  bench.files.content["/proc/self/environ"] = name + "=" + value;
  state.started["server"] = {std::nullopt, "digest"};
  auto found = state.running("server");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->pid, 77);
  EXPECT_EQ(state.running("repo-server"), std::nullopt);
  EXPECT_EQ(state.marked().size(), 1u);
}

TEST(HostKubeconfig, SelectsTheOneContextWithAbsolutePaths) {
  kube::MemoryFiles files;
  files.content["/k/config"] = R"(current-context: prod
clusters: [{name: prod, cluster: {server: "https://prod"}},
  {name: lab, cluster: {server: "https://lab", certificate-authority: pki/ca.crt}}]
contexts: [{name: prod, context: {cluster: prod, user: prod}},
  {name: lab, context: {cluster: lab, user: lab}}]
users: [{name: prod, user: {token: secret}}, {name: lab, user: {client-certificate: /abs/c.crt, client-key: k.key}}]
)";
  files.content["/k/pki/ca.crt"] = "CA one";
  auto made = make_host_kubeconfig(files, "/k/config", "lab");
  auto read = boost::json::parse(made.text);
  EXPECT_EQ(read.at("current-context").as_string(), "lab");
  EXPECT_THAT(made.text, Not(HasSubstr("prod")));
  EXPECT_EQ(read.at("clusters").at(0).at("cluster").at("certificate-authority").as_string(),
            "/k/pki/ca.crt");
  EXPECT_EQ(read.at("users").at(0).at("user").at("client-certificate").as_string(), "/abs/c.crt");
  EXPECT_EQ(read.at("users").at(0).at("user").at("client-key").as_string(), "/k/k.key");
  files.content["/k/pki/ca.crt"] = "CA two";
  EXPECT_NE(make_host_kubeconfig(files, "/k/config", "lab").digest, made.digest)
      << "another cluster";
  files.content["/k/config"] = "- no kubeconfig\n";
  EXPECT_THROW(make_host_kubeconfig(files, "/k/config", ""), Error);
}

TEST(HostKubeconfig, AnExecPlugin_IsFoundFromAnywhere_AsItIsNamed) {
  for (auto [command, expected] :
       {std::pair("bin/login", "/k/bin/login"), std::pair("./login", "/k/./login"),
        std::pair("/opt/login", "/opt/login"), std::pair("login", "login")}) {
    kube::MemoryFiles files;
    files.content["/k/config"] =
        std::string(
            "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], "
            "clusters: [{name: c, cluster: {server: s}}], users: [{name: u, user: {exec: "
            "{command: ") +
        command + "}}}]}";
    auto read = boost::json::parse(make_host_kubeconfig(files, "/k/config", "").text);
    EXPECT_EQ(read.at_pointer("/users/0/user/exec/command").as_string(), expected);
  }
}

TEST(Host, WithoutNeeds_ComesAfterTheStageThatMakesTheCluster) {
  Bench bench("argocd.host", "{}");
  const auto& needs = bench.context().stage().needs;
  ASSERT_EQ(needs.size(), 1u);
  EXPECT_EQ(needs[0].stage, "cluster");
  EXPECT_FALSE(bench.context().stage().schema->in_cluster) << "its processes do not go with it";
}

}  // namespace
}  // namespace blackstart::stages::argocd
