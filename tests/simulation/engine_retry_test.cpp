// Trouble: which of it is worth another try, how often, until when, and what is said at the end.
#include "tests/simulation/engine_fixture.h"

namespace blackstart::sim {
namespace {

using engine::StageState;

constexpr const char* kOne = R"(
    - {name: a, uses: thing, timeout: 2m, retry: {attempts: 4, backoff: 1s}, with: {name: a}}
)";

Fault refused() {
  return {.error = Error(ErrorClass::kUnreachable, "no connection").because("Connection refused")};
}

/// No fault, in a list of faults.
Fault passes() { return {}; }

TEST_F(EngineTest, Retry_TransientTroubleIsTriedAgainAsOftenAsTheStageSays) {
  plan(kOne);
  outside.treatments["a"].writes = {{.status = 500}, {.status = 500}, {.status = 500}};
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  auto retries = run.all<events::Retrying>();
  ASSERT_EQ(retries.size(), 3u);
  EXPECT_EQ(outside.count("set a"), 1);
  // 1 s, 2 s, 4 s, each with half as much jitter either way.
  int64_t expected = 1000;
  for (const events::Retrying& retry : retries) {
    EXPECT_EQ(retry.error_class, "transient");
    EXPECT_GE(retry.delay_ms, expected / 2);
    EXPECT_LE(retry.delay_ms, expected * 3 / 2);
    expected *= 2;
  }
  EXPECT_EQ(run.elapsed.count(), retries[0].delay_ms + retries[1].delay_ms + retries[2].delay_ms);
}

TEST_F(EngineTest, Retry_TransientTroubleThatStaysFailsAfterTheLastAttempt) {
  plan(kOne);
  outside.treatments["a"].writes.assign(50, Fault{.status = 500});
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(outside.treatments["a"].writes.size(), 46u) << "four attempts";
  EXPECT_EQ(run.stage("a").failure->error_class(), ErrorClass::kTransient);
  EXPECT_EQ(run.stage("a").failure->place().line, 7);
}

TEST_F(EngineTest, Retry_PermanentTroubleAndRefusedRightsAreNotTriedAgain) {
  for (int status : {401, 409, 422}) {
    SCOPED_TRACE(status);
    plan(kOne);
    outside.treatments["a"].writes.assign(2, Fault{.status = status});
    Outcome run = apply();
    EXPECT_EQ(run.exit_code, status == 401 ? 4 : 1);
    EXPECT_EQ(outside.treatments["a"].writes.size(), 1u);
    EXPECT_EQ(run.elapsed, Duration(0));
  }
}

TEST_F(EngineTest, Retry_WaitsAsLongAsAThrottlingServerAsks) {
  plan(kOne);
  outside.treatments["a"].writes.assign(6, Fault{.status = 429, .retry_after = 7});
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << "throttling is no failed attempt";
  EXPECT_GE(run.elapsed, seconds(42));
}

TEST_F(EngineTest, Retry_AnEffectWhoseAnswerWasLostIsSeenAndNotRepeated) {
  plan(kOne);
  outside.treatments["a"].writes = {
      {.error = Error(ErrorClass::kTransient, "connection reset"), .after_effect = true}};
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(outside.count("set a"), 1);
}

TEST_F(EngineTest, Deadline_DoesNotCountTheTimeThatAPersonTakes) {
  plan("    - {name: a, uses: thing, timeout: 1m, confirm: always, with: {name: a}}\n");
  Request request;
  request.beside = [](engine::Session& session) -> Task<void> {
    session.options.confirm = [&session](std::string) -> Task<bool> {
      co_await session.world.clock.sleep_until(session.world.clock.now() + minutes(30));
      co_return true;
    };
    co_return;
  };
  outside.treatments["a"].takes = seconds(50);
  Outcome run = machine.run(request);
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  outside.things.clear();
  outside.treatments["a"].takes = seconds(70);
  EXPECT_EQ(machine.run(request).exit_code, 6) << "its own time is bounded as ever";
}

TEST_F(EngineTest, Deadline_DoesNotCountTheTimeInTheQueue) {
  std::string stages;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    stages += "    - {name: " + std::string(name) +
              ", uses: tool.thing, timeout: 15s, with: {name: " + name + "}}\n";
    outside.treatments[name].takes = seconds(10);
  }
  plan(stages);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(run.elapsed, seconds(20)) << "four at a time";
}

TEST_F(EngineTest, Unknown_NeverCountsAsAbsent) {
  plan(kOne);
  outside.treatments["a"].reads = {{.status = 500}, {.status = 503}, refused()};
  outside.things["a"] = {"x", {}};
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(run.stage("a").state, StageState::kSatisfied);
  EXPECT_EQ(outside.writes(), 0);
}

TEST_F(EngineTest, Unreachable_IsWaitedOutWhenItComesBack) {
  plan(kOne);
  outside.weather = [this](const HttpRequest&) -> std::optional<Fault> {
    if (world.clock().elapsed() < seconds(90)) return refused();
    return std::nullopt;
  };
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_GE(run.elapsed, seconds(90));
  EXPECT_EQ(outside.count("set a"), 1);
}

TEST_F(EngineTest, Unreachable_AfterItHadAnsweredEndsAtTheDeadlineAndSaysWhatItWaitedFor) {
  plan(kOne);
  outside.treatments["a"].settles = minutes(60);
  outside.weather = [this](const HttpRequest&) -> std::optional<Fault> {
    if (world.clock().elapsed() > seconds(3)) return refused();
    return std::nullopt;
  };
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 6);
  EXPECT_EQ(run.elapsed, minutes(2));
  const Error& error = *run.stage("a").failure;
  EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
  EXPECT_EQ(error.full_text(), "not done within 2m00s: no connection: Connection refused");
  EXPECT_THAT(error.hint(), testing::HasSubstr("run again"));
}

std::optional<Fault> nobody_answers(const HttpRequest&) { return refused(); }

TEST_F(EngineTest, Unreachable_FromTheBeginningEndsWithinAMinute) {
  plan("    - {name: a, uses: thing, with: {name: a}}\n");
  outside.weather = nobody_answers;
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 3) << run.transcript();
  EXPECT_LE(run.elapsed, minutes(1));
  EXPECT_GE(run.elapsed, seconds(45));
  EXPECT_THAT(
      run.stage("a").failure->full_text(),
      testing::MatchesRegex("no connection: Connection refused: tried again for .*, [0-9]+ times: "
                            "nothing has answered in this run"));
  auto beats = run.all<events::Heartbeat>();
  ASSERT_GE(beats.size(), 4u);
  for (const events::Heartbeat& beat : beats)
    EXPECT_EQ(beat.elapsed_ms + beat.deadline_ms, 60'000) << "what is left is told as it is";
}

TEST_F(EngineTest, Unreachable_FromTheBeginningEndsAtTheTimeoutThatThePlanGives) {
  plan(kOne);
  outside.weather = nobody_answers;
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_GT(run.elapsed, minutes(1));
  EXPECT_LE(run.elapsed, minutes(2));
}

TEST_F(EngineTest, Unreachable_AfterThisRunMadeSomethingMayStillBeOnItsWay) {
  plan(R"(
    - {name: machine, uses: tool.thing, with: {name: machine}}
    - {name: a, uses: thing, needs: [machine], with: {name: a}}
)");
  Duration comes_up = minutes(5);
  outside.weather = [&](const HttpRequest& request) -> std::optional<Fault> {
    bool of_machine = request.url.find("machine") != std::string::npos;
    if (of_machine || world.clock().elapsed() > comes_up) return std::nullopt;
    return refused();
  };
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  outside.things.clear();
  comes_up = minutes(60);
  run = apply();
  EXPECT_EQ(run.exit_code, 3) << run.transcript();
  EXPECT_GT(run.elapsed, minutes(9)) << "the stage's deadline";
}

TEST_F(EngineTest, Unreachable_DestroyEndsSoonAndTakesNothingAway) {
  plan("    - {name: a, uses: thing, with: {name: a}}\n");
  ASSERT_EQ(apply().exit_code, 0);
  outside.weather = nobody_answers;
  Outcome run = machine.run({.verb = Verb::kDestroy});
  EXPECT_EQ(run.exit_code, 3) << run.transcript();
  EXPECT_LE(run.elapsed, minutes(2));
  EXPECT_EQ(outside.end_state(), "a=x\n");
}

TEST_F(EngineTest, Attempts_AreCountedForEachActionAlone) {
  plan(kOne);
  outside.treatments["a"].writes = {{.status = 500}};
  outside.treatments["a"].settles = seconds(4);
  Request request;
  request.beside = [this](engine::Session& session) -> Task<void> {
    co_await session.world.clock.sleep_until(session.world.clock.now() + seconds(3));
    outside.things["a"].value = "y";  // somebody else was here
  };
  Outcome run = machine.run(request);
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  std::vector<std::string> begun;
  for (const events::ActionStarted& action : run.all<events::ActionStarted>())
    begun.push_back(action.summary + " " + std::to_string(action.attempt));
  EXPECT_THAT(begun, testing::ElementsAre("make a 1", "make a 2", "change a 1"));
}

TEST_F(EngineTest, Retry_AnOutageThatWasWaitedOutUsesUpNoAttempts) {
  plan(kOne);
  for (int i = 0; i < 6; ++i) outside.treatments["a"].writes.push_back(refused());
  outside.treatments["a"].writes.push_back({.status = 500});
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
}

TEST_F(EngineTest, Retry_LooksThatFailNowAndThenInALongWaitDoNotAddUp) {
  plan("    - {name: a, uses: thing, timeout: 1h, with: {name: a}}\n");
  outside.treatments["a"].settles = minutes(20);
  for (int i = 0; i < 40; ++i)
    outside.treatments["a"].reads.push_back(i % 4 == 3 ? Fault{.status = 500} : passes());
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
}

TEST_F(EngineTest, Retry_ALookThatSucceedsDoesNotForgiveAnActionThatFails) {
  plan(kOne);
  for (int i = 0; i < 50; ++i) {
    outside.treatments["a"].writes.push_back({.status = 500});
    outside.treatments["a"].reads.push_back({.status = 500});
    outside.treatments["a"].reads.push_back(passes());
  }
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(outside.treatments["a"].writes.size(), 46u) << "four attempts";
}

TEST_F(EngineTest, Wait_EndsWhenTheWatchSaysSo) {
  plan(kOne);
  outside.treatments["a"].settles = seconds(4);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 0) << run.transcript();
  EXPECT_EQ(run.elapsed, seconds(4));
  EXPECT_EQ(outside.reads["a"], 3) << "before the action, after it, and when it was ready";
  ASSERT_EQ(run.all<events::Waiting>().size(), 1u);
  EXPECT_EQ(run.all<events::Waiting>()[0].reason, "a is starting");
}

TEST_F(EngineTest, Wait_EndsAtTheStagesDeadlineWithTheReason) {
  plan(kOne);
  outside.treatments["a"].settles = minutes(60);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 6);
  EXPECT_EQ(run.elapsed, minutes(2));
  EXPECT_EQ(run.stage("a").failure->full_text(), "not done within 2m00s: a is starting");
}

TEST_F(EngineTest, Deadline_EndsAnActionThatHangsAndTheNextRunGoesOn) {
  plan(kOne);
  outside.treatments["a"].takes = minutes(60);
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 6);
  EXPECT_EQ(run.elapsed, minutes(2));
  EXPECT_THAT(run.stage("a").failure->full_text(), testing::HasSubstr("making a"));
  EXPECT_EQ(run.all<events::ActionEnded>().at(0).result, "cancelled");

  outside.treatments["a"].takes = seconds(1);
  EXPECT_EQ(apply().exit_code, 0);
  EXPECT_EQ(outside.count("set a"), 1);
}

TEST_F(EngineTest, Verification_TheSameActionThreeTimesWithoutEffectIsAFailure) {
  plan(kOne);
  outside.treatments["a"].forgets = true;
  Outcome run = apply();
  EXPECT_EQ(run.exit_code, 7);
  EXPECT_EQ(outside.count("set a"), 3);
  EXPECT_EQ(run.stage("a").failure->summary(), "done 3 times, and still: a is not there");
}

TEST_F(EngineTest, Heartbeats_ComeEveryTenSecondsWithWhatIsWaitedFor) {
  plan(kOne);
  outside.treatments["a"].takes = seconds(15);
  outside.treatments["a"].settles = seconds(20);
  Outcome run = apply();
  auto beats = run.all<events::Heartbeat>();
  ASSERT_EQ(beats.size(), 3u) << run.transcript();
  EXPECT_EQ(beats[0].state, "acting");
  EXPECT_EQ(beats[0].reason, "making a");
  EXPECT_EQ(beats[0].elapsed_ms, 10'000);
  EXPECT_EQ(beats[0].deadline_ms, 110'000);
  EXPECT_EQ(beats[1].state, "verifying");
  EXPECT_EQ(beats[1].reason, "a is starting");
  EXPECT_EQ(beats[2].elapsed_ms, 30'000);
}

}  // namespace
}  // namespace blackstart::sim
