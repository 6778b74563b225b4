// Stopping, dying, and going on; and looking without touching.
#include "orchestrator/journal/database.h"
#include "tests/simulation/engine_fixture.h"

namespace blackstart::sim {
namespace {

using engine::StageState;

constexpr const char* kTwo = R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, needs: [a], with: {name: b}}
)";

/// The user presses Ctrl-C `count` times in all, `after` the begin.
Request stopped_after(SimWorld& world, Duration after, int count) {
  Request request;
  request.beside = [&world, after, count](engine::Session& session) {
    return [](SimClock& clock, Duration pause, int times, engine::Session& to_stop) -> Task<void> {
      co_await clock.sleep_until(clock.now() + pause);
      for (int i = 1; i <= times; ++i) to_stop.request_stop(2, i);
    }(world.clock(), after, count, session);
  };
  return request;
}

TEST_F(EngineTest, SoftStop_LetsTheRunningActionEndAndStartsNothing) {
  plan(kTwo);
  outside.treatments["a"].takes = seconds(20);
  Outcome run = machine.run(stopped_after(world, seconds(5), 1));
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.elapsed, seconds(20));
  EXPECT_EQ(run.stage("a").state, StageState::kDone);
  EXPECT_EQ(run.stage("b").state, StageState::kStopped);
  EXPECT_EQ(outside.end_state(), "a=x\n");
  run = apply();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(outside.count("set a"), 1);
}

TEST_F(EngineTest, SoftStop_HoldsForAnActionThatWaitsForItsTurn) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a}}
    - {name: b, uses: thing, with: {name: b}}
)");
  outside.treatments["a"].takes = outside.treatments["b"].takes = seconds(10);
  Request request = stopped_after(world, seconds(5), 1);
  request.parallelism = 1;
  Outcome run = machine.run(request);
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.elapsed, seconds(10));
  EXPECT_EQ(run.stage("b").state, StageState::kStopped);
  EXPECT_EQ(outside.end_state(), "a=x\n");
}

TEST_F(EngineTest, SoftStop_EndsAWaitAtOnce) {
  plan(kTwo);
  outside.treatments["a"].settles = minutes(5);
  Outcome run = machine.run(stopped_after(world, seconds(5), 1));
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.elapsed, seconds(5));
  EXPECT_EQ(run.stage("a").state, StageState::kStopped);
}

TEST_F(EngineTest, SoftStop_EndsALookAtOnce) {
  plan(kTwo);
  outside.treatments["a"].looks = minutes(5);
  for (Verb verb : {Verb::kApply, Verb::kDestroy}) {
    Request request = stopped_after(world, seconds(5), 1);
    request.verb = verb;
    Outcome run = machine.run(request);
    EXPECT_EQ(run.exit_code, 130) << run.transcript();
    EXPECT_EQ(run.elapsed, seconds(5));
    EXPECT_EQ(run.result.count(StageState::kStopped), 2u) << "what needs it is stopped with it";
    EXPECT_EQ(outside.writes(), 0);
  }
}

TEST_F(EngineTest, SoftStop_EndsTheLookAtWhatIsNeededButNotSelected) {
  plan(kTwo);
  outside.treatments["a"].looks = seconds(20);
  Request request = stopped_after(world, seconds(5), 1);
  request.selection.only = {"b"};
  Outcome run = machine.run(request);
  EXPECT_EQ(run.exit_code, 130) << run.transcript();
  EXPECT_EQ(run.elapsed, seconds(5));
}

TEST_F(EngineTest, SoftStop_LetsTheLookAfterAnActionHaveTheGraceToo) {
  plan(kTwo);
  outside.treatments["a"].takes = seconds(10);
  outside.treatments["a"].looks = seconds(4);
  Outcome run = machine.run(stopped_after(world, seconds(8), 1));
  EXPECT_EQ(run.elapsed, seconds(18));
  EXPECT_EQ(run.stage("a").state, StageState::kDone);
  EXPECT_EQ(run.exit_code, 130) << run.transcript();
}

TEST_F(EngineTest, SoftStop_GivesARunningActionThirtySeconds) {
  plan(kTwo);
  outside.treatments["a"].takes = minutes(5);
  Outcome run = machine.run(stopped_after(world, seconds(5), 1));
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.elapsed, seconds(35));
  EXPECT_EQ(run.stage("a").state, StageState::kStopped);
}

TEST_F(EngineTest, HardStop_CancelsTheRunningActionAndTheNextRunGoesOn) {
  plan(kTwo);
  outside.treatments["a"].takes = seconds(20);
  Outcome run = machine.run(stopped_after(world, seconds(5), 2));
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.elapsed, seconds(5));
  EXPECT_EQ(outside.end_state(), "");
  run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.end_state(), "a=x\nb=x\n");
}

TEST_F(EngineTest, InterruptedAction_IsSettledWithoutTheSecretThatWasSeen) {
  plan("    - {name: a, uses: thing, with: {name: a, value: swordfish-canary}}\n");
  outside.treatments["a"].takes = seconds(20);
  outside.treatments["a"].answers_late = true;
  EXPECT_EQ(machine.run(stopped_after(world, seconds(5), 2)).exit_code, 130);
  Request request;
  request.beside = [](engine::Session& session) -> Task<void> {
    session.bus.redactor().add("swordfish-canary");
    co_return;
  };
  EXPECT_EQ(machine.run(request).exit_code, 0);
  journal::Database journal(machine.state_folder() + "/journal.db",
                            journal::Database::Mode::kReadOnly);
  EXPECT_EQ(journal.text("SELECT detail FROM intents WHERE result = 'settled'"),
            "observed a is ***");
}

TEST_F(EngineTest, BlockedStage_SaysTheSameWhenItIsLookedAtAndWhenItIsApplied) {
  plan("    - {name: a, uses: thing.once, with: {name: a}}\n");
  outside.things["a"] = {"crooked", {}};
  for (const Outcome& run : {preview(), apply()}) {
    ASSERT_TRUE(run.stage("a").failure) << run.transcript();
    EXPECT_EQ(run.stage("a").failure->summary(), "a is crooked");
    EXPECT_THAT(run.stage("a").failure->causes(), testing::ElementsAre("it is made only once"));
    EXPECT_EQ(run.stage("a").failure->hint(), "it cannot be changed");
  }
}

TEST_F(EngineTest, SecondRun_ActsNowhereAndLooksOnceAtEachStage) {
  plan(kTwo);
  ASSERT_EQ(apply().exit_code, 0);
  outside.effects.clear();
  outside.reads.clear();
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(outside.writes(), 0);
  EXPECT_TRUE(run.all<events::ActionStarted>().empty());
  EXPECT_EQ(run.result.count(StageState::kSatisfied), 2u);
  EXPECT_EQ(outside.reads["a"], 1);
  EXPECT_EQ(run.elapsed, Duration(0));
}

TEST_F(EngineTest, Drift_IsPutRight) {
  plan(kTwo);
  ASSERT_EQ(apply().exit_code, 0);
  outside.things["a"].value = "crooked";
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.stage("a").state, StageState::kDone);
  EXPECT_EQ(run.stage("b").state, StageState::kSatisfied);
  EXPECT_EQ(outside.end_state(), "a=x\nb=x\n");
}

#ifdef BLACKSTART_FAILPOINTS
TEST_F(EngineTest, Resume_AfterACrashBetweenEffectAndOutcome_ObservesInsteadOfRepeating) {
  plan("    - {name: a, uses: thing.once, with: {name: a}}\n");
  ASSERT_EQ(apply().exit_code, 0);
  auto points = world.failpoints();
  auto found = std::ranges::find(points, "http.write.after:POST");
  ASSERT_NE(found, points.end());
  outside.things.clear();
  outside.effects.clear();

  Machine fresh(world, things_catalog());
  world.crash_at(static_cast<size_t>(found - points.begin()) + 1);
  Outcome crashed = fresh.apply();
  ASSERT_EQ(crashed.end, End::kCrashed);
  EXPECT_EQ(outside.count("make a"), 1);
  Outcome resumed = fresh.apply();
  EXPECT_EQ(resumed.exit_code, 0) << resumed.transcript();
  EXPECT_EQ(outside.count("make a"), 1);
  EXPECT_EQ(resumed.stage("a").state, StageState::kSatisfied);
}

TEST_F(EngineTest, Resume_AfterACrashBeforeTheEffect_DoesIt) {
  plan("    - {name: a, uses: thing.once, with: {name: a}}\n");
  ASSERT_EQ(apply().exit_code, 0);
  auto points = world.failpoints();
  auto found = std::ranges::find(points, "http.write.before:POST");
  ASSERT_NE(found, points.end());
  outside.things.clear();
  outside.effects.clear();

  Machine fresh(world, things_catalog());
  world.crash_at(static_cast<size_t>(found - points.begin()) + 1);
  ASSERT_EQ(fresh.apply().end, End::kCrashed);
  EXPECT_EQ(outside.count("make a"), 0);
  EXPECT_EQ(fresh.apply().exit_code, 0);
  EXPECT_EQ(outside.count("make a"), 1);
}
#endif

TEST_F(EngineTest, Once_ALostAnswerDoesNotMakeItTwice) {
  plan("    - {name: a, uses: thing.once, with: {name: a}}\n");
  outside.treatments["a"].writes = {
      {.error = Error(ErrorClass::kTransient, "connection reset"), .after_effect = true}};
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.count("make a"), 1);
}

TEST_F(EngineTest, Preview_ChangesNothingAndDefersWhatIsNotKnownYet) {
  plan(R"(
    - {name: a, uses: thing, with: {name: a, value: large}}
    - {name: b, uses: thing, with: {name: b, value: "${{ stages.a.outputs.value }}"}}
    - {name: c, uses: thing, with: {name: c}}
)");
  outside.things["c"] = {"x", {}};
  Outcome run = preview();
  EXPECT_EQ(outside.writes(), 0);
  EXPECT_EQ(run.stage("a").state, StageState::kPending);
  EXPECT_EQ(run.stage("b").state, StageState::kDeferred);
  EXPECT_EQ(run.stage("b").reason, "known after stage a");
  EXPECT_EQ(run.stage("c").state, StageState::kSatisfied);

  ASSERT_EQ(apply().exit_code, 0);
  EXPECT_EQ(outside.things["b"].value, "large");
  run = preview();
  EXPECT_EQ(run.result.count(StageState::kSatisfied), 3u) << "what was deferred is known now";
}

TEST_F(EngineTest, Preview_OfAServerThatDoesNotAnswerIsUnknownAndBounded) {
  plan(kTwo);
  outside.weather = [](const HttpRequest&) {
    return std::optional(Fault{.error = Error(ErrorClass::kUnreachable, "no connection")});
  };
  Outcome run = preview();
  EXPECT_EQ(run.stage("a").state, StageState::kUnknown);
  EXPECT_EQ(run.stage("b").state, StageState::kUnknown);
  EXPECT_EQ(run.exit_code, 3);
}

TEST_F(EngineTest, SavedPlan_IsAppliedAsItWasShown) {
  plan(kTwo);
  engine::SavedPlan saved = preview().shown;
  Request request;
  request.saved = &saved;
  EXPECT_EQ(machine.run(request).exit_code, 0);
  EXPECT_EQ(outside.end_state(), "a=x\nb=x\n");
}

TEST_F(EngineTest, SavedPlan_IsRefusedWhenTheWorldHasChangedSince) {
  plan(kTwo);
  outside.things["a"] = {"x", {}};
  engine::SavedPlan saved = preview().shown;
  outside.things.clear();
  Request request;
  request.saved = &saved;
  Outcome run = machine.run(request);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.stage("a").failure->error_class(), ErrorClass::kConflict);
  EXPECT_EQ(run.stage("b").state, StageState::kBlocked);
  EXPECT_EQ(outside.writes(), 0);
}

TEST_F(EngineTest, SavedPlan_ThatHasActionsWhereNothingIsLeftToDoIsFine) {
  plan(kTwo);
  engine::SavedPlan saved = preview().shown;
  outside.things["a"] = {"x", {}};
  Request request;
  request.saved = &saved;
  EXPECT_EQ(machine.run(request).exit_code, 0) << "somebody has done a part of it";
  EXPECT_EQ(outside.count("set a"), 0);
}

/// Both things are there with another value than the plan's; the run of its saved plan changes `a`
/// and stops before `b`.
class HalfApplied : public EngineTest {
 protected:
  void SetUp() override {
    plan(kTwo);
    outside.things["a"] = outside.things["b"] = {"old", {}};
    saved = preview().shown;
    outside.treatments["a"].takes = seconds(20);
    Request request = stopped_after(world, seconds(5), 1);
    request.saved = &saved;
    ASSERT_EQ(machine.run(request).exit_code, 130);
    ASSERT_EQ(outside.end_state(), "a=x\nb=old\n");
    // Somebody takes both away: what is to be done is not what was shown.
    outside.things.clear();
  }

  Outcome apply_saved() {
    Request request;
    request.saved = &saved;
    return machine.run(request);
  }

  engine::SavedPlan saved;
};

TEST_F(HalfApplied, SavedPlan_GoesOnWhereItHasBegunAndStillPromisesTheRest) {
  Outcome run = apply_saved();
  EXPECT_EQ(run.stage("a").state, StageState::kDone);
  ASSERT_EQ(run.stage("b").state, StageState::kFailed);
  EXPECT_EQ(run.stage("b").failure->error_class(), ErrorClass::kConflict);
  EXPECT_EQ(outside.end_state(), "a=x\n");
}

TEST_F(HalfApplied, SavedPlan_IsNotGoneOnWithAfterAnotherRun) {
  ASSERT_EQ(apply().exit_code, 0);
  outside.things.clear();
  Outcome run = apply_saved();
  EXPECT_EQ(run.stage("a").state, StageState::kFailed);
  EXPECT_TRUE(outside.things.empty());
}

TEST_F(HalfApplied, SavedPlan_IsNotGoneOnWithOnceItHasEnded) {
  outside.things["a"] = outside.things["b"] = {"x", {}};
  ASSERT_EQ(apply_saved().exit_code, 0);
  outside.things.clear();
  EXPECT_EQ(apply_saved().stage("a").state, StageState::kFailed);
  EXPECT_TRUE(outside.things.empty());
}

TEST_F(EngineTest, Lock_TheSecondRunIsRefusedAndSaysWhoHoldsIt) {
  plan(kTwo);
  auto held = journal_lock();
  Outcome run = apply();
  ASSERT_TRUE(run.refused.has_value());
  EXPECT_EQ(run.exit_code, 5);
  EXPECT_EQ(outside.writes(), 0);
}

}  // namespace
}  // namespace blackstart::sim
