#include "orchestrator/cli/arguments.h"

#include <CLI/CLI.hpp>

#include "orchestrator/base/shell.h"
#include "orchestrator/base/text.h"
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/talk.h"
#include "orchestrator/events/debug_log.h"
#include "orchestrator/events/redactor.h"

namespace blackstart::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 failed, 2 changes pending, 3 target unreachable, 4 authentication or "
    "TLS,\n"
    "5 locked by another run, 6 out of time (resumable), 7 verification failed, 64 bad usage or "
    "plan,\n"
    "70 our bug, 130/143 stopped by a signal.";

/// The command to go on with shows no secret: pasted as it is, it would make the mask the password.
void refuse_mask(const std::pair<std::string, std::string>& var) {
  if (var.second.find(events::kMask) == std::string::npos) return;
  throw Error(ErrorClass::kUsage, "--var " + var.first + " holds " + std::string(events::kMask) +
                                      ", which stands for a value that is not shown")
      .hint(
          "give the value itself; better, where no history keeps it: declare the variable with "
          "`fromEnv: NAME` or `fromFile: PATH`");
}

void split_vars(const std::vector<std::string>& given, Arguments& arguments) {
  for (const std::string& word : given) {
    size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError("--var",
                                 "expected NAME=VALUE, got '" + word.substr(0, equals) + "'");
    arguments.vars.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    refuse_mask(arguments.vars.back());
  }
}

/// Two readers of one stdout would each find the other's lines in theirs.
void refuse_two_on_stdout(const Arguments& arguments) {
  if (arguments.events != "-" || arguments.output != "json") return;
  throw Error(ErrorClass::kUsage, "--events - and -o json would both write to stdout")
      .hint("write the events to a file: --events FILE");
}

struct Builder {
  CLI::App app{
      "Brings a Kubernetes cluster up from nothing but Git and your keys, and rebuilds it.",
      "blackstart"};
  Arguments& arguments;
  std::vector<std::string> vars;

  CLI::App* command(const std::string& name, const std::string& summary) {
    CLI::App* sub = app.add_subcommand(name, summary);
    sub->callback([this, name] { arguments.command = name; });
    return sub;
  }

  void add_plan(CLI::App* sub,
                const std::string& what = "the plan (default: plan.yaml in this folder)") {
    sub->add_option("FILE", arguments.file, what);
    sub->add_option("-e,--env", arguments.environment,
                    "the environment (default: spec.defaultEnvironment)");
    sub->add_option("--var", vars, "sets a variable: NAME=VALUE; may be repeated")
        ->allow_extra_args(false);
  }

  void add_state(CLI::App* sub) {
    sub->add_option("--state", arguments.state,
                    "state folder (default: under $XDG_STATE_HOME/blackstart)");
  }

  void add_output(CLI::App* sub) {
    sub->add_option("-o,--output", arguments.output, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
  }

  void add_selection(CLI::App* sub) {
    engine::Selection& selection = arguments.selection;
    sub->add_option("--only", selection.only, "only these stages; their needs must hold")
        ->delimiter(',')
        ->allow_extra_args(false);
    sub->add_option("--stack", selection.stacks, "only the stages of these stacks")
        ->delimiter(',')
        ->allow_extra_args(false);
    sub->add_option("--tag", selection.tags, "only the stages with one of these tags")
        ->delimiter(',')
        ->allow_extra_args(false);
    sub->add_option("--from", selection.from, "this stage and all that need it");
    sub->add_option("--until", selection.until, "this stage and all that it needs");
  }

  void add_running(CLI::App* sub) {
    sub->add_flag("-y,--yes", arguments.yes, "answers every confirmation with yes");
    sub->add_flag("--no-input", arguments.no_input, "never asks; what would need an answer fails");
    sub->add_option("--parallelism", arguments.parallelism, "actions at a time")
        ->check(CLI::Range(1, 256));
    sub->add_flag("-v,--verbose", arguments.verbose, "also what the tools print");
    add_streams(sub);
  }

  /// What is told beside the result: events for programs, the debug log for developers.
  void add_streams(CLI::App* sub) {
    sub->add_option(
        "--events", arguments.events,
        "writes the event stream as NDJSON to FILE, or - for stdout, with the text then "
        "on stderr; whole when it ends with run.end");
    std::vector<std::string> levels = events::log_level_names();
    sub->add_option("--log-level", arguments.log_level, "debug log: " + join(levels, ", "))
        ->check(CLI::IsMember(levels));
    sub->add_option("--log-file", arguments.log_file, "where the debug log goes (default: stderr)");
  }

  void build() {
    app.require_subcommand(1);
    app.footer(kExitCodes);
    app.set_version_flag("--version", std::string("blackstart ") + BLACKSTART_VERSION);
    CLI::App* init = command(
        "init", "makes a starter repository: plan, bootstrap, infrastructure, applications");
    init->add_option("FOLDER", arguments.file, "a new or empty folder (default: this one)");
    init->add_option("--name", arguments.name, "the plan's name (default: the folder's)");
    CLI::App* validate =
        command("validate", "says every problem of the plan at once; touches nothing");
    add_plan(validate);
    add_output(validate);
    CLI::App* plan = command("plan", "says what apply would do; changes nothing");
    add_plan(plan);
    add_state(plan);
    add_selection(plan);
    add_output(plan);
    add_streams(plan);
    plan->add_option("--out", arguments.out_file, "saves the plan, for blackstart apply FILE");
    plan->add_flag("--detailed-exitcode", arguments.detailed_exit_code,
                   "0 nothing to do, 1 error, 2 changes pending");
    CLI::App* apply = command("apply", "makes it so; resumable at any point");
    add_plan(apply, "the plan, or one saved by plan --out (default: plan.yaml in this folder)");
    add_state(apply);
    add_selection(apply);
    add_running(apply);
    CLI::App* status = command("status", "looks again: what holds, what does not, and why");
    add_plan(status);
    add_state(status);
    add_selection(status);
    add_output(status);
    status->add_flag("-v,--verbose", arguments.verbose,
                     "also the events and last log lines below what does not hold");
    add_streams(status);
    CLI::App* destroy =
        command("destroy", "takes away what the plan made, in reverse, after confirmation");
    add_plan(destroy);
    add_state(destroy);
    add_selection(destroy);
    add_running(destroy);
    build_lookups();
    refuse_empty_values();
  }

  /// An empty word is a variable of the shell without value, never the wish for the default.
  void refuse_empty_values() {
    CLI::Validator not_empty(
        [](const std::string& word) {
          return word.empty() ? "is empty: give a value, or leave it out" : std::string();
        },
        "");
    for (CLI::App* sub : app.get_subcommands({})) {
      for (CLI::Option* option : sub->get_options()) {
        if (option->get_items_expected_min() > 0) option->check(not_empty);
      }
    }
  }

  void build_lookups() {
    CLI::App* runs = command("runs", "the history of runs; with an ID, that run's events");
    runs->add_option("ID", arguments.name, "a run's id, or 'last'");
    runs->add_option("-f,--file", arguments.file, "the plan (default: plan.yaml in this folder)");
    runs->add_option("-e,--env", arguments.environment, "the environment");
    runs->add_option("--limit", arguments.limit, "at most so many")->check(CLI::Range(1, 10000));
    add_state(runs);
    add_output(runs);
    CLI::App* stages = command("stages", "the stage types; with a TYPE, its options and outputs");
    stages->add_option("TYPE", arguments.file, "e.g. helm.release");
    add_output(stages);
    command("version", "this program's version and the tools it is tested with");
  }
};

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// The first word that nobody took, as an Error; `app` has been parsed.
Error unexpected_word(const CLI::App& app) {
  bool before_the_command = !app.remaining().empty();
  const CLI::App& command = before_the_command ? app : *app.get_subcommands().front();
  std::vector<std::string> words = app.remaining(true);
  auto option = std::ranges::find_if(words, [](const auto& word) { return word.starts_with('-'); });
  if (option == words.end())
    return Error(ErrorClass::kUsage,
                 command.get_name() + " has no use for '" + words.front() + "'");
  std::string name = option->substr(0, option->find('='));
  return Error(ErrorClass::kUsage, command.get_name() + " has no option '" + name + "'")
      .hint(suggestion(name, names_of_options(command)));
}

/// What is wrong with the command line, in our words where the parser's do not help.
Error explained(const CLI::App& app, const Arguments& arguments, const CLI::ParseError& problem) {
  std::vector<std::string> commands = names_of_commands(app);
  if (arguments.words.empty())
    return Error(ErrorClass::kUsage, "no command is given").hint(suggestion("", commands));
  const std::string& first = arguments.words.front();
  if (!first.starts_with('-') && std::ranges::find(commands, first) == commands.end())
    return Error(ErrorClass::kUsage, "there is no command '" + first + "'")
        .hint(suggestion(first, commands));
  Error error = dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr
                    ? unexpected_word(app)
                    : Error(ErrorClass::kUsage, problem.what());
  std::string command = first.starts_with('-') ? "" : first + " ";
  return error.hint("blackstart " + command + "--help says what it takes");
}

}  // namespace

int parse_arguments(int argc, char** argv, Arguments& arguments) {
  arguments.words.assign(argv + 1, argv + argc);
  Builder builder{.arguments = arguments, .vars = {}};
  builder.build();
  try {
    builder.app.parse(argc, argv);
    split_vars(builder.vars, arguments);
    refuse_two_on_stdout(arguments);
  } catch (const CLI::Success& asked) {  // for help or the version
    return builder.app.exit(asked);
  } catch (const CLI::ParseError& problem) {
    say_error(explained(builder.app, arguments, problem), "");
    return kExitUsage;
  } catch (const Error& problem) {
    say_error(problem, "");
    return kExitUsage;
  }
  return -1;
}

std::string command_line(const Arguments& arguments, const std::string& command) {
  std::string text = "blackstart " + command;
  bool skipped = false;
  for (const std::string& word : arguments.words) {
    if (!skipped && word == arguments.command) {
      skipped = true;
      continue;
    }
    text += " " + shell_word(word);
  }
  return text;
}

}  // namespace blackstart::cli
