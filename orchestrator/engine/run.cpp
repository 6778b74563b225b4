#include "orchestrator/engine/run.h"

#include "orchestrator/engine/heartbeat.h"
#include "orchestrator/engine/stage_run.h"
#include "orchestrator/engine/walk.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

void set_state(Session& session, size_t index, StageState state, std::string reason) {
  StageResult& result = session.results[index];
  result.state = state;
  result.reason = reason;
  const plan::Stage& stage = session.plan.stages[index];
  session.bus.publish(
      events::StageChanged{stage.name, stage.uses, to_string(state), std::move(reason), 0});
}

/// A `when:` that is not known yet counts as wanted in a preview.
bool wanted(Session& session, size_t index) {
  try {
    return plan::is_wanted(session.plan.stages[index], session.plan, session.outputs);
  } catch (const plan::NotKnownYet&) {
    return true;
  }
}

/// Settles stages that nothing is to be looked at for; true when it did.
bool left_out(Session& session, size_t index) {
  if (session.results[index].role == Role::kLeftOut) {
    session.results[index].state = StageState::kSkipped;
    session.results[index].reason = "not selected";
    return true;
  }
  if (wanted(session, index)) return false;
  set_state(session, index, StageState::kSkipped, "`when` is false");
  return true;
}

Task<void> look_at(Session& session, size_t index) {
  if (left_out(session, index)) co_return;
  StageRun stage(session, index);
  co_await stage.preview();
}

void block(Session& session, size_t index, const std::string& need, const std::string& why,
           bool is_failure) {
  const plan::Stage& stage = session.plan.stages[index];
  Error error(ErrorClass::kPermanent, "needs stage " + need + ", which " + why);
  error.at(stage.place);
  set_state(session, index, StageState::kBlocked, error.summary());
  session.results[index].failure = error;
  if (is_failure) session.bus.publish(events::notice_of(error, stage.name));
}

/// The first need that does not hold, or nullptr.
const StageResult* broken_need(const Session& session, const std::vector<size_t>& before,
                               size_t* which) {
  for (size_t need : before) {
    const StageResult& result = session.results[need];
    if (result.holds()) continue;
    *which = need;
    return &result;
  }
  return nullptr;
}

std::string state_in_words(const StageResult& result) {
  switch (result.state) {
    case StageState::kFailed: return "failed";
    case StageState::kBlocked: return "is blocked";
    case StageState::kUnknown: return "could not be looked at";
    default: return "does not hold: " + result.reason;
  }
}

/// Blocks the stage when something before it went wrong; stops it when the run is ending, or has
/// ended before a need was done.
bool held_back(Session& session, size_t index, const std::vector<size_t>& before) {
  size_t need = 0;
  const StageResult* broken = broken_need(session, before, &need);
  if (broken != nullptr && broken->state != StageState::kStopped) {
    block(session, index, session.plan.stages[need].name, state_in_words(*broken),
          broken->role == Role::kCheck);
    return true;
  }
  if (broken == nullptr && !session.stop.soft.is_set() && !session.nothing_new) return false;
  set_state(session, index, StageState::kStopped, "not started");
  return true;
}

/// A need that is not selected: it must hold already.
Task<void> check(Session& session, size_t index) {
  co_await run_unless(session.stop.soft, look_at(session, index));
  StageResult& result = session.results[index];
  if (result.state == StageState::kPending || result.state == StageState::kDeferred) {
    result.failure =
        Error(ErrorClass::kUsage, "is not selected but needed, and does not hold: " + result.reason)
            .at(session.plan.stages[index].place)
            .hint("apply it first: the same command with --until " +
                  session.plan.stages[index].name + " in place of the selection");
    result.state = StageState::kFailed;
    session.bus.publish(events::notice_of(*result.failure, session.plan.stages[index].name));
  }
}

Task<void> make(Session& session, size_t index) {
  if (session.results[index].role == Role::kLeftOut) co_return (void) left_out(session, index);
  if (held_back(session, index, session.graph.needs(index))) co_return;
  if (left_out(session, index)) co_return;
  if (session.results[index].role == Role::kCheck) co_return co_await check(session, index);
  StageRun stage(session, index);
  co_await stage.apply();
}

/// The stage whose output is the cluster's kubeconfig, or size() when the plan has none.
size_t cluster_stage(const Session& session) {
  std::optional<plan::Value> cluster = plan::resolve_cluster(session.plan, {});
  const plan::Value* unknown = cluster ? cluster->first_unknown() : nullptr;
  if (unknown == nullptr) return session.graph.size();
  for (size_t i = 0; i < session.plan.stages.size(); ++i) {
    if (session.plan.stages[i].name == unknown->stage) return i;
  }
  return session.graph.size();
}

/// Not taken away by itself: stage `cluster` takes it along.
bool goes_with_cluster(const Session& session, size_t index, size_t cluster) {
  return session.plan.stages[index].schema->in_cluster && cluster < session.graph.size() &&
         session.results[cluster].role == Role::kRun;
}

Task<void> take_away(Session& session, size_t index, size_t cluster) {
  const plan::Stage& stage = session.plan.stages[index];
  StageResult& result = session.results[index];
  if (result.role != Role::kRun || result.state == StageState::kSkipped) co_return;
  if (held_back(session, index, session.graph.dependents(index))) co_return;
  if (goes_with_cluster(session, index, cluster)) {
    if (session.journal.stage(stage.name)) co_await session.journal.forget_stage(stage.name);
    set_state(session, index, StageState::kSatisfied,
              "goes with stage " + session.plan.stages[cluster].name);
    co_return;
  }
  StageRun run(session, index);
  co_await run.remove();
}

bool is_gone(const Session& session, size_t index, size_t cluster) {
  StageState state = session.results[index].state;
  bool settled = state == StageState::kSatisfied || state == StageState::kDone;
  if (!settled || !goes_with_cluster(session, index, cluster)) return settled;
  return is_gone(session, cluster, session.graph.size());
}

/// What stages that are gone kept on this machine, and the tools' caches once no stage keeps
/// anything.
void remove_leftovers(Session& session, size_t cluster) {
  Files& files = session.world.files;
  const std::string folders = stages_folder(session.state_folder);
  try {
    for (size_t i = 0; i < session.results.size(); ++i) {
      if (!is_gone(session, i, cluster)) continue;
      files.remove_all(folders + "/" + session.plan.stages[i].name);
    }
    if (files.kind(folders) == FileKind::kFolder && !files.list(folders).empty()) return;
    files.remove_all(folders);
    files.remove_all(tools_folder(session.state_folder));
  } catch (const Error& error) {
    events::Notice notice = events::notice_of(error, "");
    notice.severity = "warning";  // all that the plan made is gone; these were its files
    session.bus.publish(std::move(notice));
  }
}

/// Takes the results out of the session.
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

Task<void> look_everywhere(Session& session) {
  co_await walk(session.world.executor, session.graph, Order::kNeedsFirst,
                [&session](size_t index) { return look_at(session, index); });
}

/// After the first Ctrl-C running actions have a grace; then they are stopped too.
Task<void> enforce_grace(Session& session) {
  co_await session.stop.soft.wait();
  co_await session.world.clock.sleep_until(session.world.clock.now() + session.options.stop_grace);
  session.stop.hard.set();
}

/// Runs `walk` with heartbeats and the grace of a stop beside it.
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

}  // namespace

Task<RunResult> preview(Session& session, std::vector<Role> roles) {
  Instant started = session.world.clock.now();
  give_roles(session, roles);
  if (!co_await run_unless(session.stop.soft, look_everywhere(session)))
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

Task<RunResult> destroy(Session& session, std::vector<Role> roles) {
  Instant started = session.world.clock.now();
  give_roles(session, roles);
  // Stopped here, nothing is begun below.
  co_await run_unless(session.stop.soft, look_everywhere(session));
  size_t cluster = cluster_stage(session);
  for (StageResult& result : session.results) {
    if (result.state == StageState::kSkipped) continue;
    Role role = result.role;
    result = StageResult();
    result.role = role;
  }
  // Dependents that are not taken away do not hold anything back: they count as gone.
  for (StageResult& result : session.results) {
    if (result.role != Role::kRun) result.state = StageState::kSkipped;
  }
  auto visit = [&session, cluster](size_t index) { return take_away(session, index, cluster); };
  co_await accompanied(session,
                       walk(session.world.executor, session.graph, Order::kDependentsFirst, visit));
  remove_leftovers(session, cluster);
  co_await session.journal.flush();
  co_return conclude(session, started);
}

}  // namespace blackstart::engine
