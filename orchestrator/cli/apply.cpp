// blackstart apply: makes it so.
#include "orchestrator/base/shell.h"
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/plan_view.h"
#include "orchestrator/cli/workspace.h"
#include "orchestrator/engine/approval.h"

namespace blackstart::cli {
namespace {

constexpr size_t kSavedPlanLimit = 64u << 20;

/// The saved plan that FILE is, or nullopt when it is a plan.
std::optional<engine::SavedPlan> read_saved(const Program& program, const std::string& path) {
  std::string text = program.world.files.read(path, kSavedPlanLimit);
  if (!text.starts_with("{\"schema\":\"blackstart.plan/")) return std::nullopt;
  return engine::parse_saved_plan(text, path);
}

plan::Request request_for(const Program& program, const std::optional<engine::SavedPlan>& saved,
                          const std::string& path) {
  plan::Request request = request_of(program, saved ? saved->plan_file : path);
  if (!saved) return request;
  if (!program.arguments.environment.empty() && program.arguments.environment != saved->environment)
    throw Error(ErrorClass::kUsage, "the saved plan is for environment " + saved->environment);
  if (!program.arguments.selection.everything())
    throw Error(ErrorClass::kUsage, "a saved plan has its own selection")
        .hint("leave --only, --stack, --tag, --from and --until out");
  request.environment = saved->environment;
  request.vars.insert(request.vars.begin(), saved->vars.begin(), saved->vars.end());
  return request;
}

/// Environments that ask show first what would be done.
Task<void> confirm_environment(Program& program, Workspace& space,
                               const std::vector<engine::Role>& roles) {
  engine::Session& session = space.session();
  if (!session.plan.confirm || program.arguments.yes) co_return;
  engine::RunResult preview = co_await engine::preview(session, roles);
  program.print(plan_text(session, preview));
  std::string question = "Apply this to environment " + session.plan.environment + "?";
  if (!session.plan.confirm_message.empty()) question += " " + session.plan.confirm_message;
  if (!co_await space.confirm(question))
    throw Error(ErrorClass::kUsage, "not confirmed; nothing was done");
  session.forget_results();
}

/// A selection whose stages are all skipped is most likely a mistake.
bool nothing_was_asked(const engine::Selection& selection, const engine::RunResult& result) {
  auto was_asked = [](const engine::StageResult& stage) {
    return stage.role == engine::Role::kRun && stage.state != engine::StageState::kSkipped;
  };
  return !selection.everything() && std::ranges::none_of(result.stages, was_asked);
}

void say_that_nothing_was_asked(engine::Session& session) {
  Error error(ErrorClass::kUsage,
              "nothing was done: every selected stage is skipped by its `when`");
  error.hint("environment " + session.plan.environment + " may be the wrong one");
  session.bus.publish(events::notice_of(error, ""));
}

/// What one does next with a cluster that is up.
void say_where_the_cluster_is(engine::Session& session) {
  std::optional<plan::Value> cluster = plan::resolve_cluster(session.plan, session.outputs);
  const plan::Value* file = cluster ? cluster->find("kubeconfig") : nullptr;
  if (file == nullptr || file->kind != plan::Value::Kind::kString) return;
  session.bus.publish(events::Notice{
      "info", "", "", "to look around: export KUBECONFIG=" + shell_word(file->text), {}, ""});
}

}  // namespace

Task<int> run_apply(Program& program) {
  std::string path = program.arguments.file;
  path = plan_path(program, path);
  std::optional<engine::SavedPlan> saved = read_saved(program, path);
  plan::Plan plan = load_plan(program, request_for(program, saved, path));
  auto space =
      co_await Workspace::open(program, std::move(plan), Access::kWrite, saved ? &*saved : nullptr);
  engine::Session& session = space->session();
  const engine::Selection& selection = saved ? saved->selection : program.arguments.selection;
  auto roles = space->roles(selection);
  if (saved) co_await engine::refuse_if_changed(session, roles);
  co_await confirm_environment(program, *space, roles);
  co_await space->begin();
  engine::RunResult result = co_await engine::apply(session, std::move(roles));
  bool asked = !nothing_was_asked(selection, result);
  int code = asked ? exit_code(result, session.graph) : kExitUsage;
  // Before the end of the run, which is the last event of every stream.
  if (!asked) say_that_nothing_was_asked(session);
  if (code == kExitDone) say_where_the_cluster_is(session);
  co_await space->finish(result, code);
  co_return code;
}

}  // namespace blackstart::cli
