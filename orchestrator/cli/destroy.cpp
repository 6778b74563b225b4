// blackstart destroy: takes away what the plan made, in reverse, after confirmation.
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/workspace.h"

namespace blackstart::cli {
namespace {

std::string question_about(const engine::Session& session, const std::vector<engine::Role>& roles) {
  std::string text = "This takes away, in this order:\n";
  const auto& order = session.graph.order();
  for (auto index = order.rbegin(); index != order.rend(); ++index) {
    const plan::Stage& stage = session.plan.stages[*index];
    if (roles[*index] == engine::Role::kRun)
      text += "  - " + stage.name + " (" + stage.uses + ")\n";
  }
  if (auto identity = engine::known_cluster(session.world.files, session.state_folder))
    text += "Cluster: " + *identity + "\n";
  return text + "Plan " + session.plan.name +
         (session.plan.environment.empty() ? "" : ", environment " + session.plan.environment);
}

/// On the day when the cluster is gone for good, that is the end of it: this says so.
void say_that_nothing_went(engine::Session& session, const engine::RunResult& result, int code) {
  if (code != kExitUnreachable || std::ranges::any_of(result.stages, &engine::StageResult::acted))
    return;
  session.bus.publish(events::Notice{"error",
                                     "",
                                     "",
                                     "nothing was taken away: the cluster cannot be reached",
                                     {},
                                     "bring it back and run the same command again; if it is gone "
                                     "for good, all that was in it is gone too: "
                                     "remove the state folder " +
                                         session.state_folder});
}

}  // namespace

Task<int> run_destroy(Program& program) {
  plan::Plan plan =
      load_plan(program, request_of(program, plan_path(program, program.arguments.file)));
  auto space = co_await Workspace::open(program, std::move(plan), Access::kWrite);
  engine::Session& session = space->session();
  auto roles = engine::removal_roles(session, space->roles(program.arguments.selection));
  if (!co_await space->confirm(question_about(session, roles)))
    throw Error(ErrorClass::kUsage, "not confirmed; nothing was taken away");
  co_await space->begin();
  engine::RunResult result = co_await engine::destroy(session, std::move(roles));
  int code = exit_code(result, session.graph);
  say_that_nothing_went(session, result, code);
  co_await space->finish(result, code);
  co_return code;
}

}  // namespace blackstart::cli
