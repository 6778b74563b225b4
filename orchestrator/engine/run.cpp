#include "orchestrator/engine/run.h"

#include "orchestrator/engine/course.h"
#include "orchestrator/engine/walk.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

void fail(Session& session, size_t index, Error error) {
  const plan::Stage& stage = session.plan.stages[index];
  set_state(session, index, StageState::kFailed, error.summary());
  session.bus.publish(events::notice_of(error, stage.name));
  session.results[index].failure = std::move(error);
}

/// A need that is not selected: it must hold already.
Task<void> check(Session& session, size_t index) {
  co_await run_unless(session.stop.soft, look_at(session, index, Direction::kForward));
  StageResult& result = session.results[index];
  if (result.state == StageState::kPending || result.state == StageState::kDeferred) {
    const plan::Stage& stage = session.plan.stages[index];
    Error error(ErrorClass::kUsage,
                "is not selected but needed, and does not hold: " + result.reason);
    error.at(stage.place)
        .hint("apply it first: the same command with --until " + stage.name +
              " in place of the selection");
    fail(session, index, std::move(error));
  }
}

/// Not knowing whether a stage is wanted is neither yes nor no.
bool settled_by_when(Session& session, size_t index) {
  try {
    return left_out(session, index);
  } catch (const plan::NotKnownYet& unknown) {
    fail(session, index, not_known(session.plan.stages[index], unknown).because("`when` needs it"));
    return true;
  }
}

Task<void> make(Session& session, size_t index) {
  if (session.results[index].role == Role::kLeftOut) co_return (void) left_out(session, index);
  if (held_back(session, index, Direction::kForward)) co_return;
  if (settled_by_when(session, index)) co_return;
  if (session.results[index].role == Role::kCheck) co_return co_await check(session, index);
  StageRun stage(session, index, Direction::kForward);
  co_await stage.run();
}

}  // namespace

Task<RunResult> preview(Session& session, std::vector<Role> roles) {
  Instant started = session.world.clock.now();
  give_roles(session, roles);
  if (!co_await run_unless(session.stop.soft, look_everywhere(session, Direction::kForward)))
    throw Error(ErrorClass::kCancelled, "stopped; nothing was changed");
  co_return conclude(session, started);
}

Task<RunResult> apply(Session& session, std::vector<Role> roles) {
  Instant started = session.world.clock.now();
  give_roles(session, roles);
  co_await accompanied(session, walk(session.world.executor, session.graph, Order::kNeedsFirst,
                                     [&session](size_t index) { return make(session, index); }));
  co_await session.journal.flush();
  co_return conclude(session, started);
}

}  // namespace blackstart::engine
