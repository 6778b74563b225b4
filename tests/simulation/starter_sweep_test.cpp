// The starter plan with the real stage types, killed at every point.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/simulation/outside/homelab.h"

namespace blackstart::sim {
namespace {

TEST(Starter, FromNothingToApplications_AndASecondRunActsNowhere) {
  Homelab homelab(1);
  Outcome run = homelab.run();
  ASSERT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(run.stage("applications").reason, "4 Applications Synced and Healthy");
  std::string before = homelab.end_state();
  int writes = homelab.api()->store().writes();
  Outcome second = homelab.run();
  ASSERT_EQ(second.exit_code, 0) << second.transcript();
  EXPECT_TRUE(second.all<events::ActionStarted>().empty()) << second.transcript();
  EXPECT_EQ(homelab.api()->store().writes(), writes);
  EXPECT_EQ(homelab.end_state(), before);
}

TEST(Starter, Preview_OfAnEmptyMachineChangesNothing) {
  Homelab homelab(1);
  Outcome run = homelab.run({.verb = Verb::kPreview});
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(run.stage("cluster").state, engine::StageState::kPending);
  EXPECT_EQ(run.stage("applications").state, engine::StageState::kDeferred);
  EXPECT_EQ(homelab.kwokctl().made(), 0);
  EXPECT_TRUE(homelab.world().processes().daemons().empty());
}

TEST(Starter, Destroy_LeavesNoProcessAndNoFileOfItsStages) {
  Homelab homelab(1);
  ASSERT_EQ(homelab.run().exit_code, 0);
  Outcome run = homelab.run({.verb = Verb::kDestroy});
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_TRUE(homelab.world().processes().daemons().empty());
  EXPECT_EQ(homelab.end_state(), "no cluster\n");
}

#ifdef BLACKSTART_FAILPOINTS
TEST(SimulatedSweep, StarterPlan_ConvergesFromACrashAtEveryPoint) {
  SweepReport report = sweep([] { return std::make_unique<Homelab>(7); }, {});
  std::printf("starter plan: %s\n", report.summary().c_str());
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_EQ(report.converged, report.points);
  EXPECT_GE(report.points, 100u);
}
#endif

}  // namespace
}  // namespace blackstart::sim
