// blackstart plan: what apply would do.
#include <set>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/plan_view.h"
#include "orchestrator/cli/workspace.h"
#include "orchestrator/engine/approval.h"

namespace blackstart::cli {
namespace {

engine::SavedPlan saved_from(const Program& program, const engine::Session& session,
                             const engine::RunResult& result) {
  engine::SavedPlan saved = engine::approval_of(session, result);
  saved.selection = program.arguments.selection;
  for (const auto& [name, value] : program.arguments.vars) {
    if (!session.plan.vars.at(name).sensitive) saved.vars.emplace_back(name, value);
  }
  return saved;
}

/// apply compares what is saved word for word, so that a secret could not be taken out of it.
void throw_if_secret(const engine::SavedPlan& saved, const events::Redactor& redactor) {
  auto shows = [&redactor](const std::string& text) { return redactor.clean(text) != text; };
  auto tells = [&shows](const engine::Action& action) {
    return shows(action.summary) || std::ranges::any_of(action.details, shows);
  };
  bool leaks = std::ranges::any_of(saved.stages, [&tells](const engine::SavedStage& stage) {
    return std::ranges::any_of(stage.actions, tells);
  });
  for (const auto& [name, value] : saved.vars) leaks = leaks || shows(value);
  if (!leaks) return;
  throw Error(ErrorClass::kUsage, "the plan was not saved: a secret would stand in the file")
      .because("what a stage would do names a sensitive value, shown as *** above")
      .hint(
          "hand the value over without naming it, as stdin or in the environment, or run apply "
          "without a saved plan");
}

void save(const Program& program, const engine::Session& session, const engine::RunResult& result) {
  engine::SavedPlan saved = saved_from(program, session, result);
  throw_if_secret(saved, session.bus.redactor());
  program.world.files.write(program.absolute(program.arguments.out_file), to_text(saved));
}

/// Saves the plan, or says why not; returns the exit code of the command, given that of the look.
int code_of_saving(const Program& program, engine::Session& session,
                   const engine::RunResult& result, int code) {
  if (code != kExitDone && code != kExitPending) {
    session.bus.publish(events::Notice{
        "error", "", "", "the plan was not saved: some stages are in trouble", {}, ""});
    return code;
  }
  try {
    save(program, session, result);
  } catch (const Error& error) {
    session.bus.publish(events::notice_of(error, ""));
    return exit_code(error.error_class());
  }
  return code;
}

/// What apply will need and this machine does not have: better known before the cluster is half up.
void warn_of_missing_tools(engine::Session& session, const engine::RunResult& result) {
  std::set<std::string> needed;
  for (size_t i = 0; i < result.stages.size(); ++i) {
    engine::StageState state = result.stages[i].state;
    if (state != engine::StageState::kPending && state != engine::StageState::kDeferred) continue;
    const auto& tools = session.catalog.find(session.plan.stages[i].uses)->tools;
    needed.insert(tools.begin(), tools.end());
  }
  for (const std::string& tool : needed) {
    try {
      session.tools.find(tool);
    } catch (const Error& error) {
      events::Notice notice = events::notice_of(error, "");
      notice.severity = "warning";
      session.bus.publish(std::move(notice));
    }
  }
}

int code_of(const Program& program, const engine::Session& session,
            const engine::RunResult& result) {
  if (int code = exit_code(result, session.graph); code != kExitDone) return code;
  return program.arguments.detailed_exit_code && result.has_pending() ? kExitPending : kExitDone;
}

}  // namespace

Task<int> run_plan(Program& program) {
  plan::Plan plan =
      load_plan(program, request_of(program, plan_path(program, program.arguments.file)));
  auto space = co_await Workspace::open(program, std::move(plan), Access::kRead);
  engine::Session& session = space->session();
  auto roles = space->roles(program.arguments.selection);
  co_await space->begin();
  engine::RunResult result = co_await engine::preview(session, std::move(roles));
  warn_of_missing_tools(session, result);
  int code = code_of(program, session, result);
  bool json = program.arguments.output == "json";
  program.print(json ? preview_json(session, result) : plan_text(session, result));
  if (!program.arguments.out_file.empty()) code = code_of_saving(program, session, result, code);
  co_await space->finish(result, code);
  co_return code;
}

}  // namespace blackstart::cli
