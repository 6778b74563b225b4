// blackstart status: looks again; what holds, what does not, and why.
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/plan_view.h"
#include "orchestrator/cli/workspace.h"

namespace blackstart::cli {
namespace {

/// A target that cannot be asked, or refuses us, is told apart from one that is not as it should
/// be.
int code_of(const engine::Session& session, const engine::RunResult& result) {
  int code = exit_code(result, session.graph);
  if (code == kExitUnreachable || code == kExitAuthentication || code >= kExitUsage) return code;
  return code != kExitDone || result.has_pending() ? kExitPending : kExitDone;
}

}  // namespace

Task<int> run_status(Program& program) {
  plan::Plan plan =
      load_plan(program, request_of(program, plan_path(program, program.arguments.file)));
  auto space = co_await Workspace::open(program, std::move(plan), Access::kRead);
  engine::Session& session = space->session();
  auto roles = space->roles(program.arguments.selection);
  co_await space->begin();
  engine::RunResult result = co_await engine::preview(session, std::move(roles));
  int code = code_of(session, result);
  bool json = program.arguments.output == "json";
  program.print(json ? preview_json(session, result)
                     : status_text(session, result, program.arguments.verbose));
  co_await space->finish(result, code);
  co_return code;
}

}  // namespace blackstart::cli
