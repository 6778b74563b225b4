// kwok.cluster against a kwokctl that behaves as the real one was seen to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kFolder = "/state/stages/tested";
const std::string kCluster = std::string(kFolder) + "/kwok/clusters/c1";
const std::vector<std::string> kParts = {"etcd", "kube-apiserver", "kwok-controller",
                                         "kube-controller-manager", "kube-scheduler"};

class Kwok : public testing::Test {
 protected:
  Kwok() : bench("kwok.cluster", "name: c1\nnodes: 2") {
    bench.processes.handler = [this](const Command& command) { return kwokctl(command); };
    bench.processes.on_stop = [this](int pid) {
      bench.files.remove_all("/proc/" + std::to_string(pid));
    };
  }

  void run_process(int pid, const std::string& program) {
    bench.files.content["/proc/" + std::to_string(pid) + "/cmdline"] =
        program + std::string(1, '\0') + "--flag";
  }

  /// What kwokctl has on disk before it starts anything.
  void lay_out() {
    bench.files.content[kCluster + "/kwok.yaml"] = "kind: KwokctlConfiguration";
    bench.files.content[kCluster + "/kubeconfig.yaml"] = bench.files.content["/p/kubeconfig"];
  }

  void start_all() {
    for (size_t i = 0; i < kParts.size(); ++i) start(kParts[i], 100 + static_cast<int>(i));
  }

  void start(const std::string& part, int pid) {
    bench.files.content[kCluster + "/pids/" + part + ".pid"] = std::to_string(pid);
    run_process(pid, kCluster + "/bin/" + part);
  }

  void stop_all() {
    for (size_t i = 0; i < kParts.size(); ++i)
      bench.files.content.erase("/proc/" + std::to_string(100 + i) + "/cmdline");
  }

  void scale(int nodes) {
    for (int i = 0; i < 5; ++i) bench.api.erase("/api/v1/nodes/node-" + std::to_string(i));
    for (int i = 0; i < nodes; ++i)
      bench.api.put("/api/v1/nodes/node-" + std::to_string(i), boost::json::parse(R"({
          "apiVersion": "v1", "kind": "Node",
          "metadata": {"labels": {"kwok.x-k8s.io/kwokctl-scale": "node"}},
          "status": {"conditions": [{"type": "Ready", "status": "True"}]}})"));
  }

  Exit kwokctl(const Command& command) {
    auto has = [&](const char* word) { return testing::Value(command.args, Contains(word)); };
    Exit exit;
    if (has("create")) {
      EXPECT_FALSE(bench.files.content.contains(kCluster + "/kwok.yaml")) << "made over an old one";
      lay_out();
      start_all();
    } else if (has("start")) {
      noted_at_start = bench.files.content.contains(kCluster + "/pids/etcd.pid");
      start_all();
    } else if (has("scale")) {
      scale(std::stoi(command.args[3]));
    }
    return exit;
  }

  Bench bench;
  bool noted_at_start = false;
};

TEST_F(Kwok, NothingThere_IsCreatedAndThenLeftAlone) {
  Decision first = bench.decide();
  ASSERT_EQ(first.kind, Decision::Kind::kAct);
  EXPECT_EQ(first.actions.front().summary, "create cluster c1 with 2 simulated nodes");
  EXPECT_FALSE(first.actions.front().destructive);
  EXPECT_EQ(bench.converge(), 1);
  size_t commands = bench.processes.ran.size();
  Observation seen = bench.observe();
  EXPECT_TRUE(seen.is_present());
  EXPECT_EQ(seen.outputs.at("endpoint"), "https://api");
  EXPECT_EQ(seen.outputs.at("kubeconfig").as_string(), std::string(kFolder) + "/kubeconfig");
  EXPECT_EQ(seen.outputs.at("version"), "v1.36.3");
  EXPECT_EQ(bench.processes.ran.size(), commands);
}

TEST_F(Kwok, Ports_AreFreeOnesAndNothingListensToTheNetwork) {
  bench.converge();
  auto config = boost::json::parse(bench.files.content.at(std::string(kFolder) + "/kwokctl.json"));
  const auto& options = config.at("options").as_object();
  EXPECT_EQ(options.at("bindAddress"), "127.0.0.1");
  std::set<int64_t> ports;
  for (const auto& [name, value] : options)
    if (std::string_view(name).ends_with("Port")) ports.insert(value.as_int64());
  EXPECT_EQ(ports.size(), 6u);
  EXPECT_EQ(options.at("kubectlBinary"), "/tools/kubectl");
}

TEST_F(Kwok, KwokctlKilledHalfWay_ItsLeavingsGoAndTheClusterIsMade) {
  lay_out();
  run_process(777, kCluster + "/bin/etcd");  // started, its number never noted
  run_process(778, "/usr/bin/innocent");
  Decision decision = bench.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_THAT(decision.reason, HasSubstr("half-made"));
  EXPECT_THAT(decision.actions.front().details, Contains(HasSubstr("no data is lost")));
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_THAT(bench.processes.stopped, Contains(777));
  EXPECT_THAT(bench.processes.stopped, Not(Contains(778)));
}

TEST_F(Kwok, KilledBeforeKwokctlWroteItsConfig_IsStillTakenAwayAndMade) {
  bench.files.content[kCluster + "/pki/ca.crt"] = "half a file";
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_TRUE(bench.observe().is_present());
}

TEST_F(Kwok, MachineRestarted_IsStartedWithItsDataNeverMadeAnew) {
  bench.converge();
  bench.files.content[kCluster + "/etcd/member/wal"] = "precious";
  stop_all();
  bench.processes.ran.clear();
  Decision decision = bench.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_EQ(decision.actions.front().id, "start");
  EXPECT_THAT(decision.reason, HasSubstr("etcd"));
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_THAT(bench.processes.ran, ElementsAre("kwokctl start cluster --name=c1"));
  EXPECT_EQ(bench.files.content.at(kCluster + "/etcd/member/wal"), "precious");
}

TEST_F(Kwok, NumberOfAnotherProcess_IsForgottenBeforeKwokctlCouldTakeItForItsOwn) {
  bench.converge();
  stop_all();
  run_process(100, "/usr/sbin/sshd");  // etcd's number went to somebody else
  EXPECT_EQ(bench.decide().actions.front().id, "start");
  bench.act("start");
  EXPECT_FALSE(noted_at_start);
  EXPECT_THAT(bench.processes.stopped, IsEmpty());
}

TEST_F(Kwok, OneComponentDead_ItsLastLogLineIsTheReason) {
  bench.converge();
  bench.files.content.erase("/proc/101/cmdline");
  bench.files.content[kCluster + "/logs/kube-apiserver.log"] =
      "I1121 starting\nE1121 bind: address already in use\n";
  Observation seen = bench.observe();
  EXPECT_EQ(seen.state, Observation::State::kDiffers);
  EXPECT_THAT(seen.reason, HasSubstr("kube-apiserver: E1121 bind: address already in use"));
}

TEST_F(Kwok, OneComponentKilled_ItsLastLineOfSuccessIsNoReason) {
  bench.converge();
  bench.files.content.erase("/proc/101/cmdline");
  bench.files.content[kCluster + "/logs/kube-apiserver.log"] = "I1121 serving securely\n";
  EXPECT_THAT(bench.observe().reason, Not(HasSubstr("serving securely")));
}

TEST_F(Kwok, ComponentThatEndsAtOnce_IsTheErrorWithItsOwnWords) {
  bench.converge();
  stop_all();
  bench.files.content[kCluster + "/logs/etcd.log"] =
      R"({"level":"fatal","msg":"listen tcp 127.0.0.1:20002: bind: address already in use"})";
  bench.processes.handler = [](const Command&) { return Exit{}; };  // nothing stays
  bench.decide();
  try {
    bench.act("start");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.causes(), Contains(HasSubstr("listen tcp 127.0.0.1:20002")));
    EXPECT_THAT(error.hint(), HasSubstr("/logs"));
  }
}

TEST_F(Kwok, ApiServerNotReady_IsWaitedFor) {
  bench.converge();
  bench.api.ready = false;
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("not ready"));
}

TEST_F(Kwok, FewerNodesThanWanted_AreAddedMoreAreTakenAwayAfterAsking) {
  bench.converge();
  scale(1);
  EXPECT_FALSE(bench.decide().actions.front().destructive);
  scale(4);
  Decision decision = bench.decide();
  EXPECT_EQ(decision.actions.front().id, "scale");
  EXPECT_TRUE(decision.actions.front().destructive);
  bench.act("scale");
  EXPECT_TRUE(bench.observe().is_present());
}

TEST_F(Kwok, OtherNodesThanWanted_WhatLivesInItCanStillBeLookedAt) {
  bench.converge();
  scale(1);
  Observation seen = bench.observe();
  EXPECT_FALSE(seen.is_present());
  EXPECT_EQ(seen.outputs.at("kubeconfig").as_string(), std::string(kFolder) + "/kubeconfig");
}

TEST_F(Kwok, KubeconfigDamaged_IsWrittenAnew) {
  bench.converge();
  std::string intact = bench.files.content[std::string(kFolder) + "/kubeconfig"];
  bench.files.content[std::string(kFolder) + "/kubeconfig"] = "{";
  EXPECT_THAT(bench.observe().reason, HasSubstr("kubeconfig of cluster"));
  bench.converge();
  EXPECT_EQ(bench.files.content[std::string(kFolder) + "/kubeconfig"], intact);
}

TEST_F(Kwok, NameChanged_DoesNotLeaveTheOldClusterBehind) {
  bench.files.content[std::string(kFolder) + "/kwok/clusters/old/kwok.yaml"] = "";
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("cluster old"));
}

TEST_F(Kwok, NameChanged_RemovalDoesNotSayThatNothingIsThere) {
  bench.files.content[std::string(kFolder) + "/kwok/clusters/old/kwok.yaml"] = "";
  Decision decision = bench.decide_removal();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("cluster old"));
  EXPECT_THAT(decision.hint, HasSubstr("under its old name"));
}

TEST_F(Kwok, Removal_LeavesNoFileNoProcessAndNoIdentity) {
  bench.converge();
  run_process(900, kCluster + "/bin/kube-scheduler");  // one that kwokctl knows nothing of
  bench.files.content[kIdentity] = "the-cluster\n";
  EXPECT_TRUE(bench.decide_removal().actions.front().destructive);
  bench.act("delete");
  EXPECT_THAT(bench.processes.stopped, testing::UnorderedElementsAre(100, 101, 102, 103, 104, 900));
  EXPECT_THAT(bench.files.list("/state"), IsEmpty());
  EXPECT_FALSE(bench.files.content.contains(kIdentity));
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kSatisfied);
}

TEST_F(Kwok, Creation_ForgetsTheIdentityOfTheClusterBefore) {
  bench.files.content[kIdentity] = "an older cluster\n";
  bench.converge();
  EXPECT_FALSE(bench.files.content.contains(kIdentity));
}

TEST_F(Kwok, KwokctlFails_ItsLastLinesAreTheCauses) {
  bench.processes.handler = [](const Command&) {
    Exit exit;
    exit.code = 1;
    exit.err = "no space left on device\n";
    return exit;
  };
  bench.observe();
  try {
    bench.act("create");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
    EXPECT_THAT(error.causes(), Contains("no space left on device"));
  }
}

TEST(KwokName, TwoStateFolders_HaveTwoNames) {
  Bench one("kwok.cluster", "nodes: 1", {}, "/state/one");
  Bench two("kwok.cluster", "nodes: 1", {}, "/state/two");
  std::string first = one.observe().reason;
  EXPECT_THAT(first, HasSubstr("lab-"));
  EXPECT_NE(first, two.observe().reason);
}

}  // namespace
}  // namespace blackstart::stages
