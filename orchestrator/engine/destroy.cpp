// The engine's destroy: what goes, what goes with it, and what must be gone before.
#include "orchestrator/engine/course.h"
#include "orchestrator/engine/run.h"
#include "orchestrator/engine/walk.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

/// The stage whose output is the cluster's kubeconfig, or size() when the plan has none.
size_t cluster_stage(const Session& session) {
  std::optional<plan::Value> cluster = plan::resolve_cluster(session.plan, {});
  const plan::Value* unknown = cluster ? cluster->first_unknown() : nullptr;
  const auto& positions = session.plan.positions;
  auto found = unknown == nullptr ? positions.end() : positions.find(unknown->stage);
  return found == positions.end() ? session.graph.size() : found->second;
}

/// Not taken away by itself: stage `cluster` takes it along when its role is kRun.
bool goes_along(const Session& session, size_t index, Role cluster) {
  return session.plan.stages[index].schema->in_cluster && cluster == Role::kRun;
}

bool goes_with_cluster(const Session& session, size_t index, size_t cluster) {
  return cluster < session.graph.size() &&
         goes_along(session, index, session.results[cluster].role);
}

std::vector<bool> with_dependents_of_selected(const Session& session,
                                              const std::vector<Role>& roles) {
  std::vector<size_t> selected;
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i] == Role::kRun) selected.push_back(i);
  }
  return session.graph.with_dependents(std::move(selected));
}

bool may_be_there(const StageResult& result) {
  return result.state == StageState::kPending || result.state == StageState::kUnknown ||
         result.state == StageState::kFailed;
}

/// Not selected, and needs what is: it would be left with the ground gone from under it.
void keep_its_ground(Session& session, size_t index) {
  const plan::Stage& stage = session.plan.stages[index];
  StageResult& result = session.results[index];
  result.failure =
      Error(ErrorClass::kUsage, "is not selected, needs what is to be taken away, and " +
                                    (result.state == StageState::kPending
                                         ? "is still there: " + result.seen.reason
                                         : "cannot be seen to be gone: " + result.reason))
          .at(stage.place)
          .hint("take it away as well: the same command with --from " + stage.name +
                " first, or in place of the selection");
  result.state = StageState::kFailed;
  session.bus.publish(events::notice_of(*result.failure, stage.name));
}

/// The look has shown outputs, and what is there. Now what is selected begins anew, and the rest
/// holds back what it needs for as long as it is there.
void begin_removal(Session& session, const std::vector<Role>& roles) {
  const std::vector<bool> bereft = with_dependents_of_selected(session, roles);
  for (size_t i = 0; i < roles.size(); ++i) {
    StageResult& result = session.results[i];
    if (roles[i] == Role::kRun) {
      if (result.state != StageState::kSkipped) result = StageResult();
    } else if (bereft[i] && may_be_there(result)) {
      keep_its_ground(session, i);
    } else {
      result.state = StageState::kSkipped;
    }
    result.role = roles[i] == Role::kCheck && !bereft[i] ? Role::kLeftOut : roles[i];
  }
}

Task<void> take_away(Session& session, size_t index, size_t cluster) {
  const StageResult& result = session.results[index];
  if (result.state == StageState::kSkipped || result.role != Role::kRun) {
    // Gone itself, it passes on what holds it back: that needs what is below it, too.
    bool begins = !session.stop.soft.is_set() && !session.nothing_new;
    bool between = result.role == Role::kCheck && result.state == StageState::kSkipped;
    if (between && begins) held_back(session, index, Direction::kRemoval);
    co_return;
  }
  if (held_back(session, index, Direction::kRemoval)) co_return;
  if (goes_with_cluster(session, index, cluster)) {
    set_state(session, index, StageState::kSatisfied,
              "goes with stage " + session.plan.stages[cluster].name);
    co_return;
  }
  StageRun run(session, index, Direction::kRemoval);
  co_await run.run();
}

bool is_gone(const Session& session, size_t index, size_t cluster) {
  StageState state = session.results[index].state;
  bool settled = state == StageState::kSatisfied || state == StageState::kDone;
  if (!settled || !goes_with_cluster(session, index, cluster)) return settled;
  return is_gone(session, cluster, session.graph.size());
}

bool everything_is_gone(const Session& session, size_t cluster) {
  for (size_t i = 0; i < session.results.size(); ++i) {
    const StageResult& result = session.results[i];
    bool none = result.role == Role::kRun && result.state == StageState::kSkipped;
    if (!none && !is_gone(session, i, cluster)) return false;
  }
  return true;
}

/// What stages that are gone kept on this machine, and the tools' caches once no stage keeps
/// anything.
void remove_files(Session& session, size_t cluster) {
  Files& files = session.world.files;
  const std::string folders = stages_folder(session.state_folder);
  for (size_t i = 0; i < session.results.size(); ++i) {
    if (is_gone(session, i, cluster)) files.remove_all(folders + "/" + session.plan.stages[i].name);
  }
  if (everything_is_gone(session, cluster)) forget_known_cluster(files, session.state_folder);
  if (files.kind(folders) == FileKind::kFolder && !files.list(folders).empty()) return;
  files.remove_all(folders);
  files.remove_all(tools_folder(session.state_folder));
}

Task<void> remove_leftovers(Session& session, size_t cluster) {
  for (size_t i = 0; i < session.results.size(); ++i) {
    const std::string& name = session.plan.stages[i].name;
    if (is_gone(session, i, cluster) && session.journal.stage(name))
      co_await session.journal.forget_stage(name);
  }
  try {
    remove_files(session, cluster);
  } catch (const Error& error) {
    events::Notice notice = events::notice_of(error, "");
    notice.severity = "warning";  // all that the plan made is gone; these were its files
    session.bus.publish(std::move(notice));
  }
}

}  // namespace

std::vector<Role> removal_roles(const Session& session, std::vector<Role> roles) {
  size_t cluster = cluster_stage(session);
  const std::vector<bool> bereft = with_dependents_of_selected(session, roles);
  for (size_t i = 0; i < roles.size(); ++i) {
    if (!bereft[i] || roles[i] == Role::kRun) continue;
    bool along = cluster < roles.size() && goes_along(session, i, roles[cluster]);
    roles[i] = along ? Role::kRun : Role::kCheck;
  }
  return roles;
}

Task<RunResult> destroy(Session& session, std::vector<Role> roles) {
  Instant started = session.world.clock.now();
  give_roles(session, roles);
  // Stopped here, nothing is begun below.
  co_await run_unless(session.stop.soft, look_everywhere(session, Direction::kRemoval));
  begin_removal(session, roles);
  size_t cluster = cluster_stage(session);
  auto visit = [&session, cluster](size_t index) { return take_away(session, index, cluster); };
  co_await accompanied(session,
                       walk(session.world.executor, session.graph, Order::kDependentsFirst, visit));
  co_await remove_leftovers(session, cluster);
  co_await session.journal.flush();
  co_return conclude(session, started);
}

}  // namespace blackstart::engine
