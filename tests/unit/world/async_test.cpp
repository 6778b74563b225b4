#include "orchestrator/world/async.h"

#include "orchestrator/world/interrupt.h"
#include "tests/unit/world/real_world_fixture.h"

namespace blackstart {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Log = std::vector<std::string>;

Task<void> sleep_for(Clock& clock, Duration duration) {
  co_await clock.sleep_until(clock.now() + duration);
}

// Writes down its start and how it ended.
Task<void> worker(Clock& clock, Duration duration, std::string name, Log& log) {
  log.push_back(name + " starts");
  std::exception_ptr error;
  try {
    co_await sleep_for(clock, duration);
  } catch (...) {
    error = std::current_exception();
  }
  log.push_back(name + (error ? " cancelled" : " ends"));
  if (error) std::rethrow_exception(error);
}

Task<void> fail_after(Clock& clock, Duration duration, std::string text) {
  co_await sleep_for(clock, duration);
  throw Error(ErrorClass::kConflict, text);
}

Task<void> clean_up(Clock& clock, Duration duration, Log& log) {
  co_await sleep_for(clock, duration);
  log.push_back("cleaned");
}

// Waits for ever and, once cancelled, cleans up with waits of its own.
Task<void> careful(Clock& clock, Log& log) {
  std::exception_ptr error;
  try {
    co_await sleep_for(clock, seconds(60));
  } catch (...) {
    error = std::current_exception();
  }
  co_await shielded(clean_up(clock, milliseconds(100), log));
  log.push_back("after cleanup");
  if (error) std::rethrow_exception(error);
}

class AsyncTest : public RealWorldTest {
 protected:
  Clock& clock() { return world().clock; }
  Instant in(Duration duration) { return clock().now() + duration; }
  Log log_;
};

Task<void> wait_and_log(Event& event, std::string name, Log& log) {
  co_await event.wait();
  log.push_back(name);
}

Task<void> set_later(Clock& clock, Duration delay, Event& event) {
  co_await sleep_for(clock, delay);
  event.set();
}

Task<void> wake_two(World& world, Log& log) {
  Event event(world.executor);
  TaskGroup group(world.executor);
  group.spawn(wait_and_log(event, "a", log));
  group.spawn(wait_and_log(event, "b", log));
  group.spawn(set_later(world.clock, milliseconds(20), event));
  co_await group.join();
  co_await event.wait();  // stays set
  event.reset();
  EXPECT_FALSE(event.is_set());
}

TEST_F(AsyncTest, AnEventWakesAllItsWaitersAndStaysSet) {
  run(wake_two(world(), log_));
  EXPECT_EQ(log_, (Log{"a", "b"}));
}

Task<void> wait_for_nothing(World& world) {
  Event event(world.executor);
  co_await event.wait();
}

TEST_F(AsyncTest, WaitingForAnEventCanBeCancelled) {
  Error error = error_of(within(clock(), in(milliseconds(50)), "late", wait_for_nothing(world())));
  EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
}

Task<void> group_of(World& world, std::vector<Task<void>> tasks) {
  TaskGroup group(world.executor);
  for (auto& task : tasks) group.spawn(std::move(task));
  EXPECT_EQ(group.running(), tasks.size());
  std::exception_ptr error;
  try {
    co_await group.join();
  } catch (...) {
    error = std::current_exception();
  }
  EXPECT_EQ(group.running(), 0u);
  if (error) std::rethrow_exception(error);
}

template <class... Tasks>
std::vector<Task<void>> list_of(Tasks... tasks) {
  std::vector<Task<void>> list;
  (list.push_back(std::move(tasks)), ...);
  return list;
}

TEST_F(AsyncTest, AGroupRunsItsTasksSideBySide) {
  Duration took = elapsed([&] {
    run(group_of(world(), list_of(worker(clock(), milliseconds(150), "a", log_),
                                  worker(clock(), milliseconds(100), "b", log_))));
  });
  EXPECT_EQ(log_, (Log{"a starts", "b starts", "b ends", "a ends"}));
  EXPECT_LT(took, milliseconds(245));
}

TEST_F(AsyncTest, AnEmptyGroupJoinsAtOnce) { run(group_of(world(), {})); }

TEST_F(AsyncTest, AFailureCancelsTheOthersAndIsWhatJoinThrows) {
  Error error = error_of(group_of(
      world(), list_of(worker(clock(), seconds(60), "a", log_),
                       fail_after(clock(), milliseconds(50), "broken"), careful(clock(), log_))));
  EXPECT_EQ(error.summary(), "broken");
  EXPECT_EQ(log_, (Log{"a starts", "a cancelled", "cleaned", "after cleanup"}));
}

Task<void> fail_at_once() {
  throw Error(ErrorClass::kConflict, "at once");
  co_return;
}

TEST_F(AsyncTest, ATaskThatFailsBeforeItsFirstWaitCancelsTheOthersToo) {
  Error error =
      error_of(group_of(world(), list_of(fail_at_once(), worker(clock(), seconds(60), "a", log_))));
  EXPECT_EQ(error.summary(), "at once");
  EXPECT_EQ(log_, (Log{"a starts", "a cancelled"}));
}

TEST_F(AsyncTest, JoinUnderCancellationWaitsForTheCleanupOfAll) {
  auto group = group_of(world(), list_of(careful(clock(), log_), careful(clock(), log_)));
  Error error = error_of(within(clock(), in(milliseconds(50)), "late", std::move(group)));
  EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
  EXPECT_EQ(log_, (Log{"cleaned", "cleaned", "after cleanup", "after cleanup"}));
}

Task<void> cancel_and_join(World& world, Log& log) {
  TaskGroup group(world.executor);
  group.spawn(worker(world.clock, seconds(60), "a", log));
  co_await sleep_for(world.clock, milliseconds(20));
  group.cancel();
  co_await group.join();
  log.push_back("joined");
  group.spawn(worker(world.clock, seconds(60), "late", log));
  co_await group.join();
}

TEST_F(AsyncTest, ACancelledGroupJoinsWithoutFailureAndCancelsWhatStartsLater) {
  Duration took = elapsed([&] { run(cancel_and_join(world(), log_)); });
  EXPECT_EQ(log_, (Log{"a starts", "a cancelled", "joined", "late starts", "late cancelled"}));
  EXPECT_LT(took, seconds(5));
}

Task<void> count_up(Clock& clock, int& running, int& most, int& done) {
  most = std::max(most, ++running);
  co_await sleep_for(clock, milliseconds(5));
  --running;
  ++done;
}

class RunAllTest : public AsyncTest {
 protected:
  std::vector<std::function<Task<void>()>> counted(size_t count) {
    auto start = [this] { return count_up(clock(), running_, most_, done_); };
    return std::vector<std::function<Task<void>()>>(count, start);
  }
  int running_ = 0;
  int most_ = 0;
  int done_ = 0;
};

TEST_F(RunAllTest, KeepsToItsLimit) {
  run(run_all(world().executor, counted(20), 3));
  EXPECT_EQ(done_, 20);
  EXPECT_EQ(most_, 3);
}

TEST_F(RunAllTest, ALimitOfNothingStillRunsThemOneByOne) {
  run(run_all(world().executor, counted(3), 0));
  EXPECT_EQ(done_, 3);
  EXPECT_EQ(most_, 1);
}

TEST_F(RunAllTest, AFailureStartsNothingNew) {
  auto tasks = counted(2);
  tasks.push_back([this] { return fail_after(clock(), milliseconds(1), "broken"); });
  for (auto& task : counted(20)) tasks.push_back(task);
  Error error = error_of(run_all(world().executor, tasks, 3));
  EXPECT_EQ(error.summary(), "broken");
  EXPECT_LE(done_, 4);
}

TEST_F(AsyncTest, WithinLetsAResultAndAFailureThrough) {
  auto answer = [](Clock& clock) -> Task<int> {
    co_await sleep_for(clock, milliseconds(10));
    co_return 42;
  };
  EXPECT_EQ(result_of(within(clock(), in(seconds(5)), "late", answer(clock()))), 42);
  auto failing = fail_after(clock(), milliseconds(10), "broken");
  EXPECT_EQ(error_of(within(clock(), in(seconds(5)), "late", std::move(failing))).summary(),
            "broken");
}

TEST_F(AsyncTest, WithinEndsAtTheDeadlineOnceTheTaskHasCleanedUp) {
  Error error(ErrorClass::kBug, "");
  Duration took = elapsed([&] {
    error = error_of(within(clock(), in(milliseconds(50)), "late", careful(clock(), log_)));
  });
  EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
  EXPECT_EQ(error.summary(), "late");
  EXPECT_EQ(log_, (Log{"cleaned", "after cleanup"}));
  EXPECT_GE(took, milliseconds(145));
}

TEST_F(AsyncTest, ADeadlineInThePastStillLetsATaskThatNeedsNoTimeEnd) {
  auto nothing = []() -> Task<void> { co_return; };
  run(within(clock(), in(milliseconds(-50)), "late", nothing()));
}

Task<void> store_race(Task<Race> running, Race& ended) { ended = co_await std::move(running); }

TEST_F(AsyncTest, ARivalThatHasLostBeforeItBeganDoesNotBegin) {
  auto nothing = []() -> Task<void> { co_return; };
  Race ended{true, nullptr};
  run(store_race(race(nothing(), worker(clock(), seconds(60), "rival", log_)), ended));
  EXPECT_FALSE(ended.rival_won);
  EXPECT_EQ(log_, Log{});
  auto slow =
      race(sleep_for(clock(), milliseconds(10)), worker(clock(), seconds(60), "rival", log_));
  run(store_race(std::move(slow), ended));
  EXPECT_FALSE(ended.rival_won);
  EXPECT_EQ(log_, (Log{"rival starts", "rival cancelled"}));
}

Task<void> cancel_soon(World& world, Task<void> task) {
  TaskGroup group(world.executor);
  group.spawn(std::move(task));
  co_await sleep_for(world.clock, milliseconds(20));
  group.cancel();
  co_await group.join();
}

TEST_F(AsyncTest, ARivalThatNeedsNoTimeWinsAgainstATaskThatWaits) {
  auto nothing = []() -> Task<void> { co_return; };
  Race ended;
  run(store_race(race(careful(clock(), log_), nothing()), ended));
  EXPECT_TRUE(ended.rival_won);
  EXPECT_TRUE(is_cancellation(ended.task_error));
  EXPECT_EQ(log_, (Log{"cleaned", "after cleanup"}));
}

TEST_F(AsyncTest, CancellingARaceCancelsBothAndNobodyHasWon) {
  Race ended{true, nullptr};
  auto both = race(careful(clock(), log_), worker(clock(), seconds(60), "rival", log_));
  run(cancel_soon(world(), store_race(std::move(both), ended)));
  EXPECT_FALSE(ended.rival_won);
  EXPECT_TRUE(is_cancellation(ended.task_error));
  EXPECT_EQ(log_, (Log{"rival starts", "rival cancelled", "cleaned", "after cleanup"}));
}

Task<void> nested(Clock& clock, Instant outer, Instant inner, Log& log) {
  auto innermost = within(clock, inner, "inner", worker(clock, seconds(60), "a", log));
  co_await within(clock, outer, "outer", std::move(innermost));
}

TEST_F(AsyncTest, OfNestedDeadlinesTheEarlierOneIsNamed) {
  EXPECT_EQ(error_of(nested(clock(), in(milliseconds(30)), in(seconds(60)), log_)).summary(),
            "outer");
  EXPECT_EQ(error_of(nested(clock(), in(seconds(60)), in(milliseconds(30)), log_)).summary(),
            "inner");
  Instant both = in(milliseconds(30));
  EXPECT_EQ(error_of(nested(clock(), both, both, log_)).error_class(), ErrorClass::kDeadline);
}

// What it throws when cancelled says something about how far it came.
Task<void> fail_when_cancelled(Clock& clock) {
  bool cancelled = false;
  try {
    co_await sleep_for(clock, seconds(60));
  } catch (const Error&) {
    cancelled = true;
  }
  if (cancelled) throw Error(ErrorClass::kTransient, "half done");
}

TEST_F(AsyncTest, AFailureOfTheCleanupIsACauseOfTheDeadline) {
  Error error =
      error_of(within(clock(), in(milliseconds(20)), "late", fail_when_cancelled(clock())));
  EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
  EXPECT_EQ(error.full_text(), "late: half done");
}

Task<void> cancelled_from_outside(World& world, Log& log) {
  TaskGroup group(world.executor);
  group.spawn(
      within(world.clock, world.clock.now() + seconds(60), "late", careful(world.clock, log)));
  co_await sleep_for(world.clock, milliseconds(30));
  group.cancel();
  co_await group.join();
}

TEST_F(AsyncTest, CancellationFromOutsidePassesThroughWithin) {
  Duration took = elapsed([&] { run(cancelled_from_outside(world(), log_)); });
  EXPECT_EQ(log_, (Log{"cleaned", "after cleanup"}));
  EXPECT_LT(took, seconds(5));
}

Task<void> catch_what_ends_within(World& world, ErrorClass& seen) {
  try {
    co_await within(world.clock, world.clock.now() + seconds(60), "late",
                    sleep_for(world.clock, seconds(90)));
  } catch (const Error& error) {
    seen = error.error_class();
  }
}

TEST_F(AsyncTest, CancellationFromOutsideIsNotADeadline) {
  ErrorClass seen = ErrorClass::kBug;
  run(cancel_soon(world(), catch_what_ends_within(world(), seen)));
  EXPECT_EQ(seen, ErrorClass::kCancelled);
}

Task<void> wait_twice(Clock& clock, Log& log) {
  for (int i = 0; i < 2; ++i) {
    std::exception_ptr error;
    try {
      co_await sleep_for(clock, seconds(60));
    } catch (...) {
      error = std::current_exception();
    }
    log.push_back(is_cancellation(error) ? "cancelled" : "slept");
  }
}

TEST_F(AsyncTest, EveryWaitAfterCancellationThrowsAtOnce) {
  Duration took = elapsed([&] { run(cancel_soon(world(), wait_twice(clock(), log_))); });
  EXPECT_EQ(log_, (Log{"cancelled", "cancelled"}));
  EXPECT_LT(took, seconds(5));
}

Task<void> shield_twice(Clock& clock, Log& log) {
  // Cancelled during the first cleanup: it goes on, and so does the second; then waits throw.
  co_await shielded(clean_up(clock, milliseconds(80), log));
  co_await shielded(clean_up(clock, milliseconds(10), log));
  bool cancelled = false;
  try {
    co_await sleep_for(clock, seconds(60));
  } catch (const Error& error) {
    cancelled = error.error_class() == ErrorClass::kCancelled;
  }
  log.push_back(cancelled ? "cancelled" : "slept");
}

TEST_F(AsyncTest, ShieldedWorkEndsAndTheCancellationIsNotForgotten) {
  run(cancel_soon(world(), shield_twice(clock(), log_)));
  EXPECT_EQ(log_, (Log{"cleaned", "cleaned", "cancelled"}));
}

TEST_F(AsyncTest, ShieldingAnEmptyTaskIsNothing) { run(shielded(Task<void>())); }

TEST_F(AsyncTest, ShieldedPassesFailuresOn) {
  EXPECT_EQ(error_of(shielded(fail_after(clock(), milliseconds(5), "broken"))).summary(), "broken");
}

Task<bool> wait_for_event(World& world, Duration set_after, Duration limit) {
  Event event(world.executor);
  TaskGroup group(world.executor);
  group.spawn(set_later(world.clock, set_after, event));
  bool came = co_await wait_until(world.clock, world.clock.now() + limit, event);
  co_await group.join();
  co_return came;
}

TEST_F(AsyncTest, WaitUntilSaysWhetherTheEventCame) {
  EXPECT_TRUE(result_of(wait_for_event(world(), milliseconds(20), seconds(5))));
  EXPECT_FALSE(result_of(wait_for_event(world(), milliseconds(100), milliseconds(20))));
}

Task<bool> run_with_stop(World& world, Duration stop_after, Task<void> task) {
  Event stop(world.executor);
  TaskGroup group(world.executor);
  group.spawn(set_later(world.clock, stop_after, stop));
  bool ended = co_await run_unless(stop, std::move(task));
  group.cancel();
  co_await group.join();
  co_return ended;
}

TEST_F(AsyncTest, RunUnlessCancelsItsTaskWhenTheFlagIsSet) {
  EXPECT_FALSE(result_of(run_with_stop(world(), milliseconds(20), careful(clock(), log_))));
  EXPECT_EQ(log_, (Log{"cleaned", "after cleanup"}));
  EXPECT_TRUE(result_of(run_with_stop(world(), seconds(60), sleep_for(clock(), milliseconds(10)))));
}

}  // namespace
}  // namespace blackstart
