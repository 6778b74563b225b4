#include "orchestrator/world/async.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace blackstart {

namespace asio = boost::asio;

namespace {

[[noreturn]] void throw_cancelled() { throw Error(ErrorClass::kCancelled, "cancelled"); }

/// The state is that of the task which asked Asio for it, then and later.
bool is_cancelled(const asio::cancellation_state& state) {
  return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

Task<void> rooted(Task<void> task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await next_turn();
  co_await std::move(task);
}

Task<void> next_turn() { co_await asio::post(asio::use_awaitable); }

Task<void> throw_if_cancelled() {
  auto state = co_await asio::this_coro::cancellation_state;
  if (is_cancelled(state)) throw_cancelled();
}

void start(Executor executor, Task<void> task, std::function<void(std::exception_ptr)> on_end) {
  asio::co_spawn(executor, rooted(std::move(task)), std::move(on_end));
}

// A timer that never expires: cancel() is "notify", and Asio's own per-operation cancellation
// works.
struct Event::Timer {
  asio::steady_timer timer;
  explicit Timer(Executor executor) : timer(executor, asio::steady_timer::time_point::max()) {}
};

Event::Event(Executor executor) : timer_(std::make_unique<Timer>(std::move(executor))) {}
Event::~Event() = default;

void Event::set() {
  set_ = true;
  timer_->timer.cancel();
}

void Event::reset() { set_ = false; }

Task<void> Event::wait() {
  while (!set_) {
    co_await throw_if_cancelled();
    co_await timer_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

struct TaskGroup::State {
  explicit State(Executor e)
      : executor(std::move(e)), ended(executor, asio::steady_timer::time_point::max()) {}
  Executor executor;
  asio::steady_timer ended;  // as in Event: cancel() is "notify"
  std::list<asio::cancellation_signal> running;
  std::exception_ptr failure;
  bool cancelled = false;

  void cancel() {
    cancelled = true;
    // Emitting may end a task at once and so change the list: a copy of the addresses first.
    std::vector<asio::cancellation_signal*> signals;
    for (auto& signal : running) signals.push_back(&signal);
    for (auto* signal : signals) signal->emit(asio::cancellation_type::terminal);
  }

  void record(std::exception_ptr error) {
    if (!error || failure) return;
    if (cancelled && is_cancellation(error)) return;  // it does what it was asked to
    failure = error;
  }
};

TaskGroup::TaskGroup(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}
TaskGroup::~TaskGroup() = default;

size_t TaskGroup::running() const { return state_->running.size(); }

void TaskGroup::cancel() {
  asio::post(state_->executor, [state = state_] { state->cancel(); });
}

void TaskGroup::spawn(Task<void> task) {
  auto signal = state_->running.emplace(state_->running.end());
  auto on_end = [state = state_, signal](std::exception_ptr error) {
    state->record(error);
    bool stop_others = error && !state->cancelled;
    // The signal must outlive its own emission: it is freed on the next turn of the loop.
    asio::post(state->executor, [state, signal, stop_others] {
      state->running.erase(signal);
      if (stop_others) state->cancel();
      if (state->running.empty()) state->ended.cancel();
    });
  };
  asio::co_spawn(state_->executor, rooted(std::move(task)),
                 asio::bind_cancellation_slot(signal->slot(), std::move(on_end)));
  if (state_->cancelled) cancel();
}

Task<void> TaskGroup::join() {
  auto state = state_;
  auto cancellation = co_await asio::this_coro::cancellation_state;
  bool interrupted = false;
  while (!state->running.empty()) {
    bool cancelled = is_cancelled(cancellation);
    if (cancelled && !interrupted) cancel();
    interrupted = cancelled;
    co_await state->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (state->failure) std::rethrow_exception(state->failure);
  if (interrupted) throw_cancelled();
}

namespace {

struct Queue {
  std::vector<std::function<Task<void>()>> tasks;
  size_t next = 0;
};

Task<void> work_through(std::shared_ptr<Queue> queue) {
  while (queue->next < queue->tasks.size()) {
    co_await throw_if_cancelled();
    auto& task = queue->tasks[queue->next++];
    co_await task();
  }
}

}  // namespace

Task<void> run_all(Executor executor, std::vector<std::function<Task<void>()>> tasks,
                   size_t limit) {
  auto queue = std::make_shared<Queue>();
  queue->tasks = std::move(tasks);
  TaskGroup group(executor);
  size_t workers = std::min(std::max<size_t>(limit, 1), queue->tasks.size());
  for (size_t i = 0; i < workers; ++i) group.spawn(work_through(queue));
  co_await group.join();
}

namespace {

// What a task that was stopped at its deadline says about it.
[[noreturn]] void throw_deadline(std::string what, std::exception_ptr task_error) {
  Error deadline(ErrorClass::kDeadline, std::move(what));
  if (is_cancellation(task_error)) throw deadline;
  try {
    std::rethrow_exception(task_error);
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kDeadline) throw;  // an inner deadline knows more
    deadline.because(error.full_text());
  } catch (const std::exception& error) {
    deadline.because(error.what());
  }
  throw deadline;
}

}  // namespace

namespace {

/// What the two sides of a race share. The loop may be thrown away under them: whichever goes last
/// takes it along.
struct Contest {
  struct Side {
    asio::cancellation_signal stop;
    bool running = false;
    std::exception_ptr error;
  };
  explicit Contest(Executor executor)
      : changed(std::move(executor), asio::steady_timer::time_point::max()) {}
  Side task;
  Side rival;
  bool rival_first = false;
  asio::steady_timer changed;  // as in Event: cancel() is "notify"

  bool is_open() const { return task.running || rival.running; }
  void stop_all() {
    for (Side* side : {&task, &rival}) {
      if (side->running) side->stop.emit(asio::cancellation_type::terminal);
    }
  }
};

/// Runs one side; the first to end stops the other.
Task<void> compete(Contest& contest, Contest::Side& own, Task<void> task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  try {
    co_await std::move(task);
  } catch (...) {
    own.error = std::current_exception();
  }
  own.running = false;
  if (contest.task.running) contest.rival_first = true;
  contest.stop_all();
  contest.changed.cancel();
}

/// Unlike a rooted task it runs at once, up to its first wait.
void enter(std::shared_ptr<Contest> contest, Contest::Side& side, Executor executor,
           Task<void> task) {
  side.running = true;
  auto keep = [contest](std::exception_ptr) {};  // holds the signal until the last frame is gone
  asio::co_spawn(executor, compete(*contest, side, std::move(task)),
                 asio::bind_cancellation_slot(side.stop.slot(), std::move(keep)));
}

}  // namespace

Task<Race> race(Task<void> task, Task<void> rival) {
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (is_cancelled(cancellation)) throw_cancelled();
  auto executor = co_await asio::this_coro::executor;
  auto contest = std::make_shared<Contest>(executor);
  enter(contest, contest->task, executor, std::move(task));
  // Many a task ends without a wait: to begin one for its rival, and to throw out of it, would be
  // most of what a deadline costs.
  if (contest->task.running) enter(contest, contest->rival, executor, std::move(rival));
  bool interrupted = false;
  while (contest->is_open()) {
    bool cancelled = is_cancelled(cancellation);
    if (cancelled && !interrupted) asio::post(executor, [contest] { contest->stop_all(); });
    interrupted = cancelled;
    co_await contest->changed.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  bool rival_won = contest->rival_first && !contest->rival.error && contest->task.error;
  co_return Race{rival_won && !is_cancelled(cancellation), contest->task.error};
}

Task<void> within(Clock& clock, Instant deadline, std::string what, Task<void> task) {
  return within(clock.sleep_until(deadline), std::move(what), std::move(task));
}

Task<void> within(Task<void> over, std::string what, Task<void> task) {
  Race ended = co_await race(std::move(task), std::move(over));
  if (ended.rival_won) throw_deadline(std::move(what), ended.task_error);
  if (ended.task_error) std::rethrow_exception(ended.task_error);
}

namespace {
Task<void> wait_for(Event& event) { co_await event.wait(); }
}  // namespace

Task<bool> wait_until(Clock& clock, Instant deadline, Event& event) {
  if (event.is_set()) co_return true;
  bool in_time = true;
  try {
    co_await within(clock, deadline, "", wait_for(event));
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::kDeadline) throw;
    in_time = false;
  }
  co_return in_time;
}

Task<void> shielded(Task<void> cleanup) {
  if (!cleanup.valid()) co_return;  // an empty task: there is nothing to clean up
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer ended(executor, asio::steady_timer::time_point::max());
  bool done = false;
  std::exception_ptr failure;
  // A coroutine of its own, with no way to cancel it. Ours stays in our state: the next wait
  // throws.
  start(executor, std::move(cleanup), [&](std::exception_ptr error) {
    done = true;
    failure = error;
    ended.cancel();
  });
  while (!done) co_await ended.async_wait(asio::as_tuple(asio::use_awaitable));
  if (failure) std::rethrow_exception(failure);
}

bool is_cancellation(std::exception_ptr error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const Error& failure) {
    return failure.error_class() == ErrorClass::kCancelled;
  } catch (const boost::system::system_error& failure) {
    return failure.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace blackstart
