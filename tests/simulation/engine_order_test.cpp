// Who starts when, who goes on, who is left out.
#include "tests/simulation/engine_fixture.h"

namespace blackstart::sim {
namespace {

using engine::Role;
using engine::StageState;

TEST_F(EngineTest, Order_AStageStartsWhenItsNeedsHold) {
  plan(R"(
    - {name: c, uses: thing, needs: [b], with: {name: c}}
    - {name: b, uses: thing, needs: [a], with: {name: b}}
    - {name: a, uses: thing, with: {name: a}}
)");
  outside.treatments["a"].takes = seconds(2);
  outside.treatments["b"].settles = seconds(3);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(entered(run, "b", "observing"), seconds(2));
  EXPECT_EQ(entered(run, "c", "observing"), seconds(5));
  EXPECT_EQ(outside.end_state(), "a=x\nb=x\nc=x\n");
}

TEST_F(EngineTest, Readiness_IsThatOfTheEdgeAndNotOfTheLevel) {
  plan(R"(
    - {name: slow, uses: thing, with: {name: slow}}
    - {name: quick, uses: thing, with: {name: quick}}
    - {name: after-quick, uses: thing, needs: [quick], with: {name: after-quick}}
)");
  outside.treatments["slow"].takes = seconds(60);
  outside.treatments["quick"].takes = seconds(1);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(entered(run, "after-quick", "done"), seconds(1));
  EXPECT_EQ(run.elapsed, seconds(60)) << "independent stages run side by side";
}

TEST_F(EngineTest, Branches_GoOnWhenOneFailsAndItsDependentsAreBlocked) {
  plan(R"(
    - {name: bad, uses: thing, with: {name: bad}}
    - {name: after-bad, uses: thing, needs: [bad], with: {name: after-bad}}
    - {name: far-after-bad, uses: thing, needs: [after-bad], with: {name: far-after-bad}}
    - {name: good, uses: thing, with: {name: good}}
    - {name: after-good, uses: thing, needs: [good], with: {name: after-good}}
)");
  outside.treatments["bad"].writes = {{.status = 422}};
  outside.treatments["good"].takes = seconds(5);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.stage("bad").state, StageState::kFailed);
  EXPECT_EQ(run.stage("after-bad").state, StageState::kBlocked);
  EXPECT_EQ(run.stage("after-bad").reason, "needs stage bad, which failed");
  EXPECT_EQ(run.stage("far-after-bad").state, StageState::kBlocked);
  EXPECT_EQ(run.stage("after-good").state, StageState::kDone);
  EXPECT_EQ(outside.end_state(), "after-good=x\ngood=x\n");
}

TEST_F(EngineTest, OnFailureStop_StartsNothingNewAndLetsTheRunningEnd) {
  plan(R"(
    - {name: bad, uses: thing, onFailure: stop, with: {name: bad}}
    - {name: running, uses: thing, with: {name: running}}
    - {name: later, uses: thing, needs: [running], with: {name: later}}
)");
  outside.treatments["bad"].writes = {{.status = 422}};
  outside.treatments["running"].takes = seconds(5);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.stage("running").state, StageState::kDone);
  EXPECT_EQ(run.stage("later").state, StageState::kStopped);
  EXPECT_FALSE(outside.things.contains("later"));
}

TEST_F(EngineTest, When_FalseSkipsTheStageAndHoldsForItsDependents) {
  plan(R"(
    - {name: a, uses: thing, when: false, with: {name: a}}
    - {name: b, uses: thing, needs: [a], with: {name: b}}
)");
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(run.stage("a").state, StageState::kSkipped);
  EXPECT_EQ(run.stage("b").state, StageState::kDone);
  EXPECT_EQ(outside.end_state(), "b=x\n");
}

TEST_F(EngineTest, When_CanDependOnWhatAnEarlierStageFound) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a, value: small}}
    - {name: b, uses: thing, when: "${{ stages.a.outputs.value == 'large' }}", with: {name: b}}
    - {name: c, uses: thing, when: "${{ stages.a.outputs.value == 'small' }}", with: {name: c}}
)");
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.end_state(), "a=small\nc=x\n");
}

TEST_F(EngineTest, Selection_WithANeedThatDoesNotHoldIsRefusedBeforeAnyWrite) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, needs: [a], with: {name: b}}
)");
  Request only_b;
  only_b.selection.only = {"b"};
  Outcome run = machine.run(only_b);
  EXPECT_EQ(run.exit_code, 64);
  EXPECT_EQ(run.stage("a").role, Role::kCheck);
  EXPECT_EQ(run.stage("b").state, StageState::kBlocked);
  EXPECT_THAT(run.stage("a").failure->summary(), testing::HasSubstr("is not selected but needed"));
  EXPECT_EQ(outside.writes(), 0);

  outside.things["a"] = {"x", {}};
  run = machine.run(only_b);
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.count("set a"), 0) << "a need is looked at, never made";
  EXPECT_EQ(outside.count("set b"), 1);
}

TEST_F(EngineTest, Selection_LeavesEverythingElseAlone) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, with: {name: b}}
)");
  Request only_b;
  only_b.selection.only = {"b"};
  EXPECT_EQ(machine.run(only_b).exit_code, 0);
  EXPECT_EQ(outside.end_state(), "b=x\n");
  EXPECT_EQ(outside.reads.count("a"), 0u);
}

TEST_F(EngineTest, Parallelism_BoundsActionsAtATime) {
  std::string stages;
  for (int i = 0; i < 8; ++i)
    stages += "    - {name: s" + std::to_string(i) + ", uses: thing, with: {name: s" +
              std::to_string(i) + "}}\n";
  plan(stages);
  for (int i = 0; i < 8; ++i) outside.treatments["s" + std::to_string(i)].takes = seconds(10);
  Outcome run = machine.run({.parallelism = 2});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.elapsed, seconds(40));
}

TEST_F(EngineTest, Limits_OfToolsAndOfLightWorkAreTheirOwn) {
  std::string stages;
  for (int i = 0; i < 8; ++i) {
    for (const char* type : {"thing", "tool.thing"}) {
      std::string name = std::string(type).substr(0, 2) + std::to_string(i);
      stages += "    - {name: " + name + ", uses: " + type + ", with: {name: " + name + "}}\n";
      outside.treatments[name].takes = seconds(10);
    }
  }
  plan(stages);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.elapsed, seconds(20)) << "tools four at a time, light work ten at a time";
  EXPECT_EQ(run.stage("th7").elapsed, seconds(10));
}

TEST_F(EngineTest, When_ThatCannotBeKnownIsNeitherYesNorNo) {
  plan(R"(
    - {name: a, uses: thing, when: false, with: {name: a}}
    - {name: b, uses: thing, when: "${{ stages.a.outputs.value == 'x' }}", with: {name: b}}
)");
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 64) << run.transcript();
  EXPECT_THAT(run.stage("b").failure->summary(), testing::HasSubstr("output value of stage a"));
  EXPECT_EQ(outside.writes(), 0);
  EXPECT_EQ(preview().stage("b").state, StageState::kPending) << "what it would do is shown";
}

TEST_F(EngineTest, Cluster_OfASkippedStageIsAClearError) {
  plan(R"(
    - {name: cluster, uses: thing, when: false, with: {name: cluster}}
    - {name: inside, uses: inside.thing, needs: [cluster], with: {name: "${{ stages.cluster.outputs.value }}"}}
  cluster: {kubeconfig: "${{ stages.cluster.outputs.value }}"}
)");
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 64) << run.transcript();
  EXPECT_THAT(run.stage("inside").failure->hint(), testing::HasSubstr("was skipped"));
  run = preview();
  EXPECT_EQ(run.stage("inside").state, StageState::kDeferred);
  EXPECT_EQ(run.stage("inside").decision.actions.at(0).summary,
            "known in full after stage cluster");
}

TEST_F(EngineTest, Stop_IsHeardBetweenStagesThatNeverWait) {
  std::string stages;
  for (int i = 0; i < 100; ++i)
    stages +=
        "    - {name: s" + std::to_string(i) + ", uses: thing, when: false, with: {name: a}}\n";
  plan(stages);
  Request stopped;
  stopped.beside = [](engine::Session& session) -> Task<void> {
    for (int i = 0; i < 5; ++i) co_await next_turn();
    session.request_stop(2, 1);
  };
  Outcome run = machine.run(stopped);
  EXPECT_EQ(run.stage("s0").state, StageState::kSkipped);
  EXPECT_EQ(run.stage("s99").state, StageState::kStopped);
}

TEST_F(EngineTest, Destroy_TakesAwayInReverseOrder) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, needs: [a], with: {name: b}}
)");
  ASSERT_EQ(apply().exit_code, 0);
  outside.treatments["b"].takes = seconds(3);
  Outcome run = machine.run({.verb = Verb::kDestroy});
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.end_state(), "");
  EXPECT_EQ(outside.count("remove b"), 1);
  EXPECT_GE(*entered(run, "a", "acting"), *entered(run, "b", "done"));
}

TEST_F(EngineTest, Destroy_OfWhatIsStillNeeded_TakesNothingAway) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, needs: [a], with: {name: b}}
    - {name: c, uses: thing, needs: [b], with: {name: c}}
)");
  ASSERT_EQ(apply().exit_code, 0);
  Request only_a{.verb = Verb::kDestroy};
  only_a.selection.only = {"a"};
  Outcome run = machine.run(only_a);
  EXPECT_EQ(run.exit_code, 64);
  EXPECT_THAT(run.stage("a").reason, testing::HasSubstr("is needed by stage b"));
  EXPECT_THAT(run.stage("c").failure->hint(), testing::HasSubstr("--from c"));
  EXPECT_EQ(outside.end_state(), "a=x\nb=x\nc=x\n");

  outside.things.erase("b");
  outside.things.erase("c");
  outside.treatments["c"].reads = {{.status = 403}};
  run = machine.run(only_a);
  EXPECT_EQ(run.exit_code, 64) << "what cannot be seen may be there";
  EXPECT_EQ(outside.count("remove a"), 0);
  run = machine.run(only_a);
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.end_state(), "") << "what needed it was gone already";
}

TEST_F(EngineTest, Destroy_AsksAboutAStageOnlyWhenThePlanAlwaysDoes) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, confirm: once, with: {name: b}}
    - {name: c, uses: thing, confirm: always, with: {name: c}}
)");
  std::vector<std::string> questions;
  Request request;
  request.beside = [&questions](engine::Session& session) -> Task<void> {
    session.options.confirm = [&questions](std::string question) -> Task<bool> {
      questions.push_back(std::move(question));
      co_return true;
    };
    co_return;
  };
  EXPECT_EQ(machine.run(request).exit_code, 0);
  EXPECT_THAT(questions, testing::UnorderedElementsAre("stage b: make b", "stage c: make c"));
  questions.clear();
  request.verb = Verb::kDestroy;
  EXPECT_EQ(machine.run(request).exit_code, 0);
  EXPECT_THAT(questions, testing::ElementsAre("stage c: remove c"));
}

TEST_F(EngineTest, Destroy_KeepsTheFilesOfWhatLivesInAClusterThatCouldNotBeTakenAway) {
  plan(R"(
    - {name: cluster, uses: thing, with: {name: cluster}}
    - {name: inside, uses: inside.thing, with: {name: inside}}
  cluster: {kubeconfig: "${{ stages.cluster.outputs.value }}"}
)");
  ASSERT_EQ(apply().exit_code, 0);
  std::string folder = engine::stages_folder(machine.state_folder()) + "/inside";
  world.files().add(folder + "/kept", "x");
  outside.treatments["cluster"].writes = {{.status = 422}};
  Request only_the_cluster{.verb = Verb::kDestroy};
  only_the_cluster.selection.only = {"cluster"};
  Outcome run = machine.run(only_the_cluster);
  EXPECT_EQ(run.exit_code, 1) << run.transcript();
  EXPECT_EQ(run.stage("inside").reason, "goes with stage cluster") << "selected or not";
  EXPECT_EQ(world.files().kind(folder + "/kept"), FileKind::kFile);

  run = machine.run({.verb = Verb::kDestroy});
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(world.files().kind(folder), FileKind::kMissing);
}

}  // namespace
}  // namespace blackstart::sim
