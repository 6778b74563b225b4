#include "orchestrator/cli/workspace.h"

#include <cstdio>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/paths.h"
#include "orchestrator/cli/sinks.h"
#include "orchestrator/cli/talk.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::cli {
namespace {

std::string state_home(const Environment& environment) {
  if (auto folder = environment.get("XDG_STATE_HOME"); folder && folder->starts_with('/'))
    return *folder;
  if (auto home = environment.get("HOME"); home && home->starts_with('/'))
    return *home + "/.local/state";
  throw Error(ErrorClass::kUsage,
              "there is no place for the state: neither XDG_STATE_HOME nor HOME is set")
      .hint("name a folder with --state");
}

int64_t signed_count(const engine::RunResult& result, engine::StageState state) {
  return static_cast<int64_t>(result.count(state));
}

std::unique_ptr<journal::RunLock> take_lock(const Program& program,
                                            const std::string& state_folder) {
  const std::string& given = program.arguments.state;
  try {
    return journal::RunLock::acquire(program.world, state_folder, program.arguments.command);
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::kPermanent) throw;
    if (!given.empty()) throw unusable(program, "--state", given, error);
    throw Error(error).hint("name another folder for the state with --state");
  }
}

const char* word_for(const std::string& command, const engine::RunResult& result, int code) {
  if (code == kExitPending || (code == kExitDone && result.has_pending()))
    return command == "status" ? "does not hold" : "changes pending";
  if (code == kExitDone)
    return result.count(engine::StageState::kDone) > 0 ? "done" : "nothing to do";
  if (code == kExitOutOfTime) return "out of time";
  return code >= kExitSignal ? "stopped" : "failed";
}

/// Says all findings; throws when there is no plan for them.
plan::Plan checked(const Program& program, std::optional<plan::Plan> plan,
                   const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    std::string text = text_of(diagnostic, program.world.environment.working_directory());
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  if (plan) return std::move(*plan);
  throw Error(ErrorClass::kUsage, "the plan has " + count_of(diagnostics.error_count(), "problem") +
                                      "; nothing was done")
      .hint("correct what is named above, then look with blackstart validate");
}

}  // namespace

std::string plan_path(const Program& program, const std::string& given) {
  std::string path = program.absolute(given.empty() ? "plan.yaml" : given);
  if (program.world.files.kind(path) == FileKind::kFolder)
    path = program.absolute(path + "/plan.yaml");
  if (program.world.files.kind(path) == FileKind::kFile) return path;
  throw Error(ErrorClass::kUsage, "there is no plan at " + path)
      .hint(
          "name the plan's file, go to its folder, or make a starter repository with blackstart "
          "init");
}

plan::Request request_of(const Program& program, const std::string& file) {
  plan::Request request;
  request.file = file;
  request.environment = program.arguments.environment;
  request.vars = program.arguments.vars;
  return request;
}

plan::Plan load_plan(const Program& program, const plan::Request& request) {
  Diagnostics diagnostics;
  const World& world = program.world;
  auto plan = plan::load(world.files, world.environment, request, program.catalog, diagnostics);
  return checked(program, std::move(plan), diagnostics);
}

plan::Plan identify_plan(const Program& program, const plan::Request& request) {
  Diagnostics diagnostics;
  const Files& files = program.world.files;
  auto plan = plan::identify(files, request, diagnostics);
  // A mistake may hide the environments: only state that is there shows that it does not.
  if (plan && files.kind(state_folder_of(program, *plan)) == FileKind::kFolder)
    return std::move(*plan);
  if (diagnostics.has_errors()) plan.reset();
  return checked(program, std::move(plan), diagnostics);
}

std::string state_folder_of(const Program& program, const plan::Plan& plan) {
  if (!program.arguments.state.empty()) return program.absolute(program.arguments.state);
  std::string key = sha256_hex(plan.file + "\n" + plan.environment).substr(0, 8);
  std::string environment = plan.environment.empty() ? "" : "-" + plan.environment;
  return state_home(program.world.environment) + "/blackstart/" + plan.name + environment + "-" +
         key;
}

events::Notice notice_of(const journal::Damage& damage) {
  events::Notice notice;
  notice.severity = "warning";
  notice.message = damage.set_aside.empty()
                       ? "the journal is damaged, and read as if it were empty"
                       : "the journal was damaged and set aside as " + damage.set_aside;
  notice.causes = {damage.what};
  notice.hint = damage.set_aside.empty()
                    ? "the next apply or destroy sets it aside and begins a new one"
                    : "the run goes on from what it observes; only history is lost";
  return notice;
}

Workspace::Workspace(Program& program, plan::Plan plan)
    : program_(program),
      plan_(std::move(plan)),
      graph_(plan_),
      state_folder_(state_folder_of(program, plan_)),
      run_id_(journal::new_run_id(program.world)),
      bus_(program.world.clock),
      tools_(program.world, plan_.tools),
      questions_(program.world.executor, 1) {
  for (const auto& [name, variable] : plan_.vars) {
    if (variable.sensitive) redact_all(bus_.redactor(), variable.value);
  }
}

Workspace::~Workspace() = default;

Task<std::unique_ptr<Workspace>> Workspace::open(Program& program, plan::Plan plan, Access access,
                                                 const engine::SavedPlan* saved) {
  std::unique_ptr<Workspace> space(new Workspace(program, std::move(plan)));
  space->writes_ = access == Access::kWrite;
  if (space->writes_) space->lock_ = take_lock(program, space->state_folder_);
  journal::Opened opened =
      co_await journal::open(program.world, space->state_folder_ + "/journal.db", !space->writes_);
  space->journal_ = std::move(opened.journal);
  add_sinks(space->bus_, program, space->plan_, space->writes_ ? space->journal_.get() : nullptr);
  if (opened.damage) space->bus_.publish(notice_of(*opened.damage));
  space->journal_->on_damage(
      [bus = &space->bus_](const journal::Damage& damage) { bus->publish(notice_of(damage)); });
  engine::RunOptions options;
  options.parallelism = program.arguments.parallelism;
  options.saved = saved;
  Workspace* self = space.get();
  options.confirm = [self](std::string question) { return self->confirm(std::move(question)); };
  if (space->lock_) {
    options.on_activity = [self](const std::string& what) {
      self->lock_->set_activity(self->bus_.redactor().clean_wrapped(what));
    };
  }
  space->session_ = std::make_unique<engine::Session>(
      program.world, space->bus_, *space->journal_, space->plan_, program.catalog, space->graph_,
      space->tools_, space->run_id_, space->state_folder_, std::move(options));
  program.on_signal = [self](int signal, int count) { self->on_signal(signal, count); };
  co_return space;
}

void Workspace::on_signal(int signal, int count) {
  std::string message =
      count < 2
          ? "stopping: nothing new is started, running actions may finish; again: stop them at once"
          : "stopping at once";
  bus_.publish(events::Notice{"warning", "", "", std::move(message), {}, ""});
  session_->request_stop(signal, count);
}

std::vector<engine::Role> Workspace::roles(const engine::Selection& selection) const {
  return engine::select(plan_, graph_, selection);
}

Task<void> Workspace::begin() {
  bus_.publish(events::RunStarted{run_id_, program_.arguments.command, plan_.name, plan_.file,
                                  plan_.environment, state_folder_, BLACKSTART_VERSION,
                                  static_cast<int64_t>(plan_.stages.size())});
  if (!writes_) co_return;
  const Environment& environment = program_.world.environment;
  journal::RunInfo run;
  run.id = run_id_;
  run.command = program_.arguments.command;
  run.plan_name = plan_.name;
  run.plan_digest = plan_.digest;
  if (session_->options.saved) run.saved_plan = session_->options.saved->digest;
  run.environment = plan_.environment;
  run.user = environment.user();
  run.host = environment.host();
  run.pid = environment.pid();
  run.started = program_.world.clock.wall_time();
  co_await journal_->begin_run(std::move(run));
}

Task<void> Workspace::finish(const engine::RunResult& result, int code) {
  using engine::StageState;
  events::RunEnded end;
  end.run = run_id_;
  end.result = word_for(program_.arguments.command, result, code);
  end.exit_code = code;
  end.elapsed_ms = result.elapsed.count();
  end.done = signed_count(result, StageState::kDone);
  end.satisfied = signed_count(result, StageState::kSatisfied);
  end.failed = signed_count(result, StageState::kFailed);
  end.blocked = signed_count(result, StageState::kBlocked);
  end.skipped = signed_count(result, StageState::kSkipped);
  end.stopped = signed_count(result, StageState::kStopped);
  if (writes_ && may_go_on(result, graph_, code))
    end.resume = command_line(program_.arguments, program_.arguments.command);
  if (writes_) co_await journal_->end_run(run_id_, end.result, code);
  bus_.publish(std::move(end));
  bus_.flush();
  if (writes_) co_await journal_->flush();
}

Task<bool> Workspace::confirm(std::string question) {
  if (program_.arguments.yes) co_return true;
  std::optional<bool> answer = co_await run_unless(session_->stop.soft, ask(std::move(question)));
  if (!answer) throw Error(ErrorClass::kCancelled, "stopped; it was not confirmed");
  co_return *answer;
}

Task<bool> Workspace::ask(std::string question) {
  engine::Limit::Slot turn = co_await questions_.take();
  std::string shown = bus_.redactor().clean(question);
  bool yes = co_await ask_on_terminal(program_, std::move(shown));
  co_return yes;
}

}  // namespace blackstart::cli
