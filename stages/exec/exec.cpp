// exec: one command, by argv. The escape hatch: nobody but its author knows what it does.
#include <algorithm>

#include "orchestrator/engine/stage.h"
#include "stages/secret_value.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

bool has_slash(const std::string& text) { return text.find('/') != std::string::npos; }

/// A program is a tool's name, an absolute path, or a path below the folder it runs in.
std::string program_of(engine::Context& context, const std::string& name,
                       const std::string& folder) {
  if (!has_slash(name)) return context.tools().find(name);
  return name.starts_with('/') ? name : folder + "/" + name;
}

class ExecStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    read(context);
    if (check_.empty()) co_return by_record(context);
    if (missing_) co_return Observation::differs("the check cannot be run: " + missing_->summary());
    Command command = command_of(context, check_);
    std::string shown = command.display();
    Exit exit = co_await context.world().processes.run(std::move(command));
    if (exit.ok()) co_return Observation::present("the check says it is done");
    if (exit.signal != 0)
      throw Error(ErrorClass::kTransient, "the check was " + exit.describe() + ": " + shown);
    co_return Observation::absent("the check says it is to be done (" + exit.describe() + ")");
  }

  Decision decide(const Observation& seen) const override {
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    if (missing_) throw *missing_;
    Action action{"run", "run " + join(argv_, " "), {}, once_, false};
    action.details.push_back("in " + folder_);
    for (const auto& name : shown_names_) action.details.push_back("with " + name + " set");
    return Decision::act(std::move(action), seen.reason);
  }

  Task<void> act(engine::Context& context, const Action&) override {
    Command command = command_of(context, argv_);
    if (context.has("stdin")) command.input = context.text("stdin");
    command.on_line = context.output_lines();
    std::string shown = command.display();
    context.progress("running " + shown);
    Exit exit = co_await context.world().processes.run(std::move(command));
    bool fine = exit.signal == 0 &&
                std::find(allowed_.begin(), allowed_.end(), exit.code) != allowed_.end();
    if (fine) {
      ran_ = true;
      co_return;
    }
    Error error(ErrorClass::kPermanent, argv_.front() + " ended with " + exit.describe());
    for (auto& line : exit.last_lines(20)) error.because(std::move(line));
    throw error.at(context.option("argv").place).hint("the command was: " + shown);
  }

  Decision decide_removal(const Observation&) const override {
    return Decision::satisfied("left in place: what the command did is not known");
  }

 private:
  void read(engine::Context& context) {
    argv_ = context.texts("argv");
    check_ = context.texts("check");
    once_ = context.flag("once");
    folder_ = context.text_or("cwd", context.plan().folder);
    if (!folder_.starts_with('/')) folder_ = context.plan().folder + "/" + folder_;
    allowed_.clear();
    for (const plan::Value& code : context.option("allowedExitCodes").as_list())
      allowed_.push_back(static_cast<int>(code.as_integer()));
    if (once_ && check_.empty())
      throw Error(ErrorClass::kUsage, "`once` needs a `check`")
          .at(context.option("once").place)
          .hint("after a crash only a check can tell whether the command has had its effect");
    read_environment(context);
  }

  void read_environment(engine::Context& context) {
    environment_.clear();
    shown_names_.clear();
    missing_.reset();
    if (context.has("fromEnv")) {
      for (const plan::Value& name : context.option("fromEnv").as_list()) {
        SecretValue secret = read_variable(context, name);
        if (secret.missing && !missing_) missing_ = std::move(secret.missing);
        if (!secret.value) continue;
        context.redact(*secret.value);  // why else would it not stand in the plan
        environment_[name.as_text()] = *secret.value;
      }
    }
    if (context.has("env")) {
      for (const auto& [name, value] : context.option("env").as_map()) {
        environment_[name] = value.as_text();
        if (value.sensitive) context.redact(value.as_text());
      }
    }
    if (context.has("stdin") && context.option("stdin").sensitive)
      context.redact(context.text("stdin"));
    for (const auto& [name, value] : environment_) shown_names_.push_back(name);
  }

  /// Without a check, what the journal remembers is all there is: the same inputs were run to the
  /// end.
  Observation by_record(engine::Context& context) const {
    if (ran_) return Observation::present("the command ran");
    auto record = context.record();
    if (record && record->digest == context.digest())
      return Observation::present("the command ran with these inputs before, says the journal");
    return record ? Observation::differs("the inputs have changed since the command ran")
                  : Observation::absent("the command has not been run");
  }

  Command command_of(engine::Context& context, const std::vector<std::string>& argv) const {
    std::vector<std::string> args(argv.begin() + 1, argv.end());
    std::string home = context.world().environment.get("HOME").value_or(folder_);
    Command command =
        context.tools().command(program_of(context, argv.front(), folder_), std::move(args), home);
    command.working_directory = folder_;
    for (const auto& [name, value] : environment_) command.environment[name] = value;
    return command;
  }

  std::vector<std::string> argv_;
  std::vector<std::string> check_;
  std::vector<int> allowed_;
  std::string folder_;
  std::map<std::string, std::string> environment_;
  std::vector<std::string> shown_names_;  // of variables; never their values
  std::optional<Error> missing_;          // why the first of `fromEnv` that has no value has none
  bool once_ = false;
  bool ran_ = false;  // in this run
};

}  // namespace

extern const engine::StageType kExec;
const engine::StageType kExec{
    .schema =
        {
            .name = "exec",
            .summary = "Runs a command by argv, without a shell; an escape hatch.",
            .options =
                {
                    {.name = "argv",
                     .type = OptionType::kList,
                     .required = true,
                     .summary = "program and arguments, one item each; a secret goes by stdin, env "
                                "or fromEnv",
                     .fields = {{.name = "argument", .summary = "an argument"}},
                     .not_empty = true,
                     .in_argv = true},
                    {.name = "cwd",
                     .summary = "folder to run in, relative to the plan's, which is the default"},
                    {.name = "env",
                     .type = OptionType::kMap,
                     .summary = "variables to set",
                     .fields = {{.name = plan::kAnyKey, .summary = "the value, a text"}}},
                    {.name = "fromEnv",
                     .type = OptionType::kList,
                     .summary =
                         "variables to take from our own environment; their values are redacted",
                     .fields = {{.name = "name", .summary = "name of a variable"}}},
                    {.name = "stdin", .summary = "text to feed; default: nothing"},
                    {.name = "check",
                     .type = OptionType::kList,
                     .summary = "argv that ends with 0 when there is nothing to do; a secret goes "
                                "by env or fromEnv",
                     .fields = {{.name = "argument", .summary = "an argument"}},
                     .in_argv = true},
                    {.name = "allowedExitCodes",
                     .type = OptionType::kList,
                     .default_value = "[0]",
                     .summary = "exit codes that mean success",
                     .fields =
                         {{.name = "code", .type = OptionType::kInteger, .summary = "exit code"}}},
                    {.name = "once",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "must not run twice; needs `check`"},
                },
            .warning = "exec is an escape hatch: of what it changes only its `check` can be looked "
                       "at, and nothing "
                       "can be undone; prefer a stage type made for the job",
        },
    .work = engine::Work::kProcess,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ExecStage>(); },
};

}  // namespace blackstart::stages
