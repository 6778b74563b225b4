// The composition root: the one file that sees both the engine and the stage types.
#include <unistd.h>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/program.h"
#include "orchestrator/world/real.h"
#include "stages/catalog.h"

namespace {

blackstart::Task<void> run(blackstart::cli::Program& program, int& code) {
  code = co_await blackstart::cli::run_command(program);
}

}  // namespace

int main(int argc, char** argv) {
  blackstart::cli::Arguments arguments;
  if (int code = blackstart::cli::parse_arguments(argc, argv, arguments); code >= 0) return code;
  blackstart::RealWorld real;
  blackstart::cli::Program program{real.world(), blackstart::stages::catalog(), arguments, {}};
  program.on_signal = [](int signal, int) { _exit(blackstart::cli::kExitSignal + signal); };
  int code = blackstart::cli::kExitBug;
  real.run(run(program, code),
           [&program](int signal, int count) { program.take_signal(signal, count); });
  return code;
}
