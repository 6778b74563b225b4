// A kwok cluster whose components end while kwokctl, which does not notice, waits for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "tests/simulation/outside/homelab.h"

namespace blackstart::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// The ports in the order in which the program chooses them: 20000 is etcd's peer port, then
/// etcd's, kube-apiserver's, kube-controller-manager's, kube-scheduler's and kwok's.
constexpr int kApiServerPort = 20002;

class KwokCluster : public testing::Test {
 protected:
  Outcome apply() { return homelab.run({.selection = {.until = "cluster"}}); }
  void take(std::set<int> ports) {
    homelab.kwokctl().is_taken = [ports](int port) { return ports.contains(port); };
  }
  void kill(const std::string& component) {
    for (const auto& [pid, daemon] : homelab.world().processes().daemons()) {
      if (!daemon.command.program.ends_with("/" + component)) continue;
      homelab.world().processes().kill(pid);
      return;
    }
  }

  Homelab homelab{1};
};

TEST_F(KwokCluster, AnyPortTaken_IsNoticedAndTheClusterMadeAnewWithOthers) {
  for (int port = 20000; port < 20006; ++port) {
    SCOPED_TRACE(port);
    Homelab one(1);
    one.kwokctl().is_taken = [port](int other) { return other == port; };
    Outcome run = one.run({.selection = {.until = "cluster"}});
    EXPECT_EQ(run.exit_code, 0) << run.transcript();
    EXPECT_EQ(one.kwokctl().made(), 2);
    EXPECT_LT(run.elapsed, seconds(6)) << "kwokctl alone would have waited for two minutes";
    auto retries = run.all<events::Retrying>();
    ASSERT_EQ(retries.size(), 1u) << run.transcript();
    EXPECT_EQ(retries[0].error_class, "transient");
    EXPECT_THAT(retries[0].cause, HasSubstr("of cluster homelab"));
    EXPECT_THAT(retries[0].cause,
                HasSubstr(std::to_string(port) + ": bind: address already in use"));
  }
}

TEST_F(KwokCluster, EveryPortTaken_EndsAfterTheLastAttemptWithTheComponentsWords) {
  homelab.kwokctl().is_taken = [](int) { return true; };
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(homelab.kwokctl().made(), 5);
  EXPECT_LT(run.elapsed, seconds(40));
  const Error& error = *run.stage("cluster").failure;
  EXPECT_THAT(error.summary(), testing::MatchesRegex("etcd of cluster homelab-.* did not stay up"));
  EXPECT_THAT(error.full_text(), HasSubstr("address already in use"));
  EXPECT_THAT(error.hint(), HasSubstr("/logs"));
  EXPECT_EQ(homelab.run({.verb = Verb::kDestroy}).exit_code, 0);
  EXPECT_TRUE(homelab.world().processes().daemons().empty());
}

TEST_F(KwokCluster, AComponentThatGaveUpOnASlowApiServer_IsStartedAgainOnceItServes) {
  homelab.world().clock().schedule(milliseconds(400), [this] { kill("kube-controller-manager"); });
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(homelab.kwokctl().made(), 1);
  auto actions = run.all<events::ActionStarted>();
  ASSERT_EQ(actions.size(), 2u) << run.transcript();
  EXPECT_EQ(actions[1].action, "start");
}

TEST_F(KwokCluster, PortOfAStoppedClusterTaken_ItIsStartedWithItsDataOnceThePortIsFree) {
  ASSERT_EQ(apply().exit_code, 0);
  kill("kube-apiserver");
  take({kApiServerPort});
  Outcome failed = apply();
  EXPECT_EQ(failed.exit_code, 1) << failed.transcript();
  EXPECT_LT(failed.elapsed, seconds(40));
  const Error& error = *failed.stage("cluster").failure;
  EXPECT_THAT(error.full_text(), HasSubstr("address already in use"));
  EXPECT_THAT(error.hint(), HasSubstr("must be freed"));
  take({});
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(homelab.kwokctl().made(), 1) << "never made anew: it has data";
}

}  // namespace
}  // namespace blackstart::sim
