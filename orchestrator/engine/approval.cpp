#include "orchestrator/engine/approval.h"

#include "orchestrator/engine/run.h"

namespace blackstart::engine {
namespace {

std::string target_of(const Session& session) {
  return known_cluster(session.world.files, session.state_folder).value_or("");
}

Error refusal(const std::string& why) {
  return Error(ErrorClass::kUsage, "the saved plan cannot be applied: " + why)
      .hint("make a new one with blackstart plan --out FILE and look at it");
}

void compare_target(const Session& session, const SavedPlan& saved) {
  if (saved.target == target_of(session)) return;
  throw refusal(saved.target.empty() ? "there was no cluster when it was made, and now there is one"
                                     : "the cluster is another one now");
}

void compare_inputs(const Session& session, const SavedPlan& saved, const RunResult& now) {
  for (size_t i = 0; i < now.stages.size(); ++i) {
    const plan::Stage& stage = session.plan.stages[i];
    const SavedStage* then = saved.find(stage.name);
    if (then == nullptr || then->digest.empty() || then->digest == now.stages[i].digest) continue;
    throw refusal("the inputs of stage " + stage.name + " have changed since").at(stage.place);
  }
}

}  // namespace

SavedPlan approval_of(const Session& session, const RunResult& shown) {
  SavedPlan saved;
  saved.plan_file = session.plan.file;
  saved.plan_digest = session.plan.digest;
  saved.environment = session.plan.environment;
  saved.target = target_of(session);
  for (size_t index : session.graph.order()) {
    const StageResult& stage = shown.stages[index];
    saved.stages.push_back({session.plan.stages[index].name, stage.digest,
                            stage.state == StageState::kDeferred, stage.decision.actions});
  }
  return saved;
}

Task<void> refuse_if_changed(Session& session, const std::vector<Role>& roles) {
  const SavedPlan& saved = *session.options.saved;
  if (saved.plan_digest != session.plan.digest)
    throw refusal("the plan or its variables have changed since");
  auto begun = co_await session.journal.begun_by(saved.digest);
  if (begun) {
    // Only runs record which cluster it is, and since the note there was none but this one's.
    session.begun.insert(begun->begin(), begun->end());
  } else {
    compare_target(session, saved);
  }
  RunResult now = co_await preview(session, roles);
  session.forget_results();
  compare_inputs(session, saved, now);
}

}  // namespace blackstart::engine
