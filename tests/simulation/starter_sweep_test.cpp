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

/// Its plan was saved on the empty machine, and is what every run applies.
class SavedStarter final : public Universe {
 public:
  SavedStarter() : saved_(homelab_.run({.verb = Verb::kPreview}).shown) {}
  SimWorld& world() override { return homelab_.world(); }
  /// What was carried out to its end is refused: then nothing may be left to do.
  Outcome run() override {
    Request request;
    request.saved = &saved_;
    Outcome outcome = homelab_.run(request);
    if (!outcome.refused) return outcome;
    outcome = homelab_.run();
    if (!outcome.all<events::ActionStarted>().empty()) refused_early_ = true;
    return outcome;
  }
  std::string end_state() override { return homelab_.end_state(); }
  std::vector<std::string> broken_promises() override {
    auto broken = homelab_.broken_promises();
    if (refused_early_) broken.push_back("the saved plan was refused with a part of it left to do");
    return broken;
  }
  int writes() override { return homelab_.writes(); }

 private:
  bool refused_early_ = false;
  Homelab homelab_{7};
  engine::SavedPlan saved_;
};

TEST(SimulatedSweep, SavedStarterPlan_IsGoneOnWithFromACrashAtEveryPoint) {
  SweepReport report = sweep([] { return std::make_unique<SavedStarter>(); }, {});
  std::printf("saved starter plan: %s\n", report.summary().c_str());
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_EQ(report.converged, report.points);
  EXPECT_GE(report.points, 100u);
}
#endif

}  // namespace
}  // namespace blackstart::sim
