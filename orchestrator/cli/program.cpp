#include "orchestrator/cli/program.h"

#include <map>

#include "orchestrator/base/path.h"
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/paths.h"
#include "orchestrator/cli/talk.h"
#include "orchestrator/events/writer.h"
#include "orchestrator/world/async.h"

namespace blackstart::cli {

void Program::take_signal(int number, int count) {
  signal = number;
  on_signal(number, count);
}

std::string Program::absolute(const std::string& path) const {
  return world.files.canonical(absolute_path(world.environment.working_directory(), path));
}

void Program::print(std::string_view text) const {
  bool taken = arguments.events == "-";
  if (events::writer_to(taken ? stderr : stdout)(text)) return;
  throw Error(ErrorClass::kPermanent,
              std::string(taken ? "stderr" : "stdout") + " cannot be written");
}

namespace {
using Run = Task<int> (*)(Program&);

Run find_run(const std::string& command) {
  static const std::map<std::string, Run> commands = {
      {"init", run_init},   {"validate", run_validate}, {"plan", run_plan},
      {"apply", run_apply}, {"status", run_status},     {"destroy", run_destroy},
      {"runs", run_runs},   {"stages", run_stages},     {"version", run_version},
  };
  return commands.at(command);
}
}  // namespace

Task<int> run_command(Program& program) {
  try {
    refuse_bad_paths(program);
    co_return co_await find_run(program.arguments.command)(program);
  } catch (const Error& error) {
    say_error(error, program.world.environment.working_directory());
    co_return exit_code(error.error_class(), program.signal);
  } catch (const std::exception& error) {
    if (is_cancellation(std::current_exception()))
      co_return exit_code(ErrorClass::kCancelled, program.signal);
    say_error(Error(ErrorClass::kBug, "unexpected failure").because(error.what()), "");
    co_return kExitBug;
  }
}

}  // namespace blackstart::cli
