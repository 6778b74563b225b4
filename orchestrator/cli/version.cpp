// blackstart version: this program and the tools it is tested with.
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/program.h"
#include "orchestrator/engine/tools.h"

namespace blackstart::cli {

Task<int> run_version(Program& program) {
  std::string text = std::string("blackstart ") + BLACKSTART_VERSION + "\n";
  engine::Tools tools(program.world, {});
  for (const std::string& name : engine::Tools::pinned_names()) {
    std::string path;
    try {
      path = tools.find(name);
    } catch (const Error&) {
      path = "not found";
    }
    std::string line = name + " " + engine::Tools::pinned_version(name);
    line.resize(std::max<size_t>(line.size(), 34), ' ');
    text += line + " " + path + "\n";
  }
  program.print(text);
  co_return kExitDone;
}

}  // namespace blackstart::cli
