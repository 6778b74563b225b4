#include "orchestrator/engine/course.h"

#include "orchestrator/engine/heartbeat.h"
#include "orchestrator/engine/walk.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

std::string state_in_words(const StageResult& result) {
  switch (result.state) {
    case StageState::kFailed: return "failed";
    case StageState::kBlocked: return "is blocked";
    case StageState::kUnknown: return "could not be looked at";
    default: return "does not hold: " + result.reason;
  }
}

/// The first of them that does not hold, or nullptr.
const StageResult* first_broken(const Session& session, const std::vector<size_t>& before,
                                size_t* which) {
  for (size_t other : before) {
    const StageResult& result = session.results[other];
    if (result.holds()) continue;
    *which = other;
    return &result;
  }
  return nullptr;
}

void block(Session& session, size_t index, const std::string& why, bool is_failure) {
  const plan::Stage& stage = session.plan.stages[index];
  Error error(ErrorClass::kPermanent, why);
  error.at(stage.place);
  set_state(session, index, StageState::kBlocked, error.summary());
  session.results[index].failure = error;
  if (is_failure) session.bus.publish(events::notice_of(error, stage.name));
}

/// After the first Ctrl-C running actions have a grace; then they are stopped too.
Task<void> enforce_grace(Session& session) {
  co_await session.stop.soft.wait();
  co_await session.world.clock.sleep_until(session.world.clock.now() + session.options.stop_grace);
  session.stop.hard.set();
}

}  // namespace

void set_state(Session& session, size_t index, StageState state, std::string reason) {
  StageResult& result = session.results[index];
  result.state = state;
  result.reason = reason;
  const plan::Stage& stage = session.plan.stages[index];
  session.bus.publish(
      events::StageChanged{stage.name, stage.uses, to_string(state), std::move(reason), 0});
}

bool left_out(Session& session, size_t index) {
  if (session.results[index].role == Role::kLeftOut) {
    session.results[index].state = StageState::kSkipped;
    session.results[index].reason = "not selected";
    return true;
  }
  if (plan::is_wanted(session.plan.stages[index], session.plan, session.outputs)) return false;
  set_state(session, index, StageState::kSkipped, "`when` is false");
  return true;
}

Task<void> look_at(Session& session, size_t index, Direction direction) {
  try {
    if (left_out(session, index)) co_return;
  } catch (const plan::NotKnownYet&) {
    // It may be wanted: what it would do is shown.
  }
  StageRun stage(session, index, direction);
  co_await stage.preview();
}

Task<void> look_everywhere(Session& session, Direction direction) {
  auto visit = [&session, direction](size_t index) { return look_at(session, index, direction); };
  co_await walk(session.world.executor, session.graph, Order::kNeedsFirst, visit);
}

bool held_back(Session& session, size_t index, Direction direction) {
  bool forward = direction == Direction::kForward;
  const auto& before = forward ? session.graph.needs(index) : session.graph.dependents(index);
  size_t which = 0;
  const StageResult* broken = first_broken(session, before, &which);
  if (broken != nullptr && broken->state != StageState::kStopped) {
    std::string why = (forward ? "needs stage " : "is needed by stage ") +
                      session.plan.stages[which].name + ", which " + state_in_words(*broken);
    block(session, index, why, broken->role == Role::kCheck);
    return true;
  }
  if (broken == nullptr && !session.stop.soft.is_set() && !session.nothing_new) return false;
  set_state(session, index, StageState::kStopped, "not started");
  return true;
}

Task<void> accompanied(Session& session, Task<void> work) {
  Event finished(session.world.executor);
  TaskGroup company(session.world.executor);
  auto until_finished = [](Event& end, Task<void> task) -> Task<void> {
    co_await run_unless(end, std::move(task));
  };
  company.spawn(until_finished(finished, heartbeats(session)));
  company.spawn(until_finished(finished, enforce_grace(session)));
  std::exception_ptr failure;
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  finished.set();
  co_await company.join();
  if (failure) std::rethrow_exception(failure);
}

RunResult conclude(Session& session, Instant started) {
  RunResult result;
  result.stages = std::move(session.results);
  result.elapsed = std::chrono::duration_cast<Duration>(session.world.clock.now() - started);
  result.signal = session.stop.signal;
  return result;
}

void give_roles(Session& session, const std::vector<Role>& roles) {
  for (size_t i = 0; i < roles.size(); ++i) session.results[i].role = roles[i];
}

}  // namespace blackstart::engine
