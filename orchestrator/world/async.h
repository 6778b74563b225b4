// Structured concurrency: groups that end with their tasks, waits that end with their deadline.
#pragma once

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/world/clock.h"

namespace blackstart {

/// A flag that tasks can wait for. Loop-confined: no locks. Must outlive its waiters.
class Event {
 public:
  explicit Event(Executor executor);
  ~Event();
  void set();  // wakes all waiters; stays set
  void reset();
  bool is_set() const { return set_; }
  Task<void> wait();  // at once when set

 private:
  struct Timer;
  std::unique_ptr<Timer> timer_;
  bool set_ = false;
};

/// Tasks that run side by side and end together. Destroy only after join().
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  ~TaskGroup();
  /// Starts `task` at the next turn of the loop.
  void spawn(Task<void> task);
  /// Asks all running tasks to stop: their waits end with Error(kCancelled), which join() then does
  /// not count as a failure.
  void cancel();
  /// Waits until all have ended, then rethrows the first failure. A failure cancels the others.
  /// When the waiting task is cancelled, so are they, and they have ended before join() throws.
  Task<void> join();
  size_t running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Runs all tasks, at most `limit` at a time, in order of start. The first failure cancels the
/// rest.
Task<void> run_all(Executor executor, std::vector<std::function<Task<void>()>> tasks, size_t limit);

struct Race {
  bool rival_won = false;         // it ended first, so the task was cancelled
  std::exception_ptr task_error;  // null = the task did what it had to, even if it came second
};

/// Runs `task` until `rival` ends: then it is cancelled. Returns once both have ended. Cancelling
/// the caller cancels both. The task begins at once; one that never waits has won before the rival
/// begins.
Task<Race> race(Task<void> task, Task<void> rival);

/// Runs `task` until `over` ends; then the task is cancelled and, once it has cleaned up,
/// Error(kDeadline, what) is thrown.
Task<void> within(Task<void> over, std::string what, Task<void> task);

/// The same with an end at a fixed time.
Task<void> within(Clock& clock, Instant deadline, std::string what, Task<void> task);

/// The same for a task with a result.
template <class T>
Task<T> within(Clock& clock, Instant deadline, std::string what, Task<T> task) {
  std::optional<T> result;
  auto store = [](Task<T> inner, std::optional<T>& slot) -> Task<void> {
    slot = co_await std::move(inner);
  };
  co_await within(clock, deadline, std::move(what), store(std::move(task), result));
  co_return std::move(*result);
}

/// Waits for `event` but not past `deadline`; true when the event came.
Task<bool> wait_until(Clock& clock, Instant deadline, Event& event);

/// Runs `cleanup` to its end even when the calling task has been cancelled.
Task<void> shielded(Task<void> cleanup);

/// Lets everything else that is ready go first. Not a wait: it ends even when cancelled.
Task<void> next_turn();

/// Throws Error(kCancelled) when the calling task has been cancelled: first line of every leaf
/// wait.
Task<void> throw_if_cancelled();

/// Starts a task that nothing waits for or cancels; `on_end` is called on the loop with its failure
/// or null.
void start(Executor executor, Task<void> task, std::function<void(std::exception_ptr)> on_end);

/// The root of every task; all calls in this file add it or do the same, whoever uses
/// asio::co_spawn must. Asio makes each co_await of a cancelled coroutine throw, which forbids the
/// waits of its cleanup too; here the innermost wait throws instead. And the task begins at the
/// next turn of the loop: spawning it never runs its code.
Task<void> rooted(Task<void> task);

/// Is this exception a cancellation (ours or Asio's)?
bool is_cancellation(std::exception_ptr error);

}  // namespace blackstart
