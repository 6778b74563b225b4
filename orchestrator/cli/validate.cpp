// blackstart validate: every problem of the plan at once.
#include <boost/json.hpp>

#include "orchestrator/base/path.h"
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/talk.h"
#include "orchestrator/cli/workspace.h"

namespace blackstart::cli {
namespace {

std::string as_json(const Diagnostics& diagnostics) {
  boost::json::array findings;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    boost::json::object finding{
        {"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
        {"message", diagnostic.message},
        {"hint", diagnostic.hint}};
    finding["file"] = diagnostic.place.known() ? *diagnostic.place.file : "";
    finding["line"] = diagnostic.place.line;
    finding["column"] = diagnostic.place.column;
    findings.emplace_back(std::move(finding));
  }
  boost::json::object whole{{"schema", "blackstart.validation/1"},
                            {"valid", !diagnostics.has_errors()},
                            {"findings", std::move(findings)}};
  return boost::json::serialize(whole) + "\n";
}

std::string as_text(const Program& program, const Diagnostics& diagnostics,
                    const std::optional<plan::Plan>& plan, const std::string& file) {
  std::string folder = program.world.environment.working_directory();
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) text += text_of(diagnostic, folder);
  if (!text.empty()) text += "\n";
  text += seen_from(folder, file) + ": ";
  if (diagnostics.has_errors()) text += count_of(diagnostics.error_count(), "problem");
  size_t warnings = diagnostics.sorted().size() - diagnostics.error_count();
  if (plan) {
    text += "valid, " + count_of(plan->stages.size(), "stage");
    if (!plan->environment.empty()) text += " in environment " + plan->environment;
  }
  if (warnings > 0) text += ", " + count_of(warnings, "warning");
  return text + "\n";
}

}  // namespace

Task<int> run_validate(Program& program) {
  std::string file = plan_path(program, program.arguments.file);
  plan::Request request = request_of(program, file);
  request.vars_required = false;
  Diagnostics diagnostics;
  auto plan = plan::load(program.world.files, program.world.environment, request, program.catalog,
                         diagnostics);
  bool json = program.arguments.output == "json";
  program.print(json ? as_json(diagnostics) : as_text(program, diagnostics, plan, file));
  co_return diagnostics.has_errors() ? kExitUsage : kExitDone;
}

}  // namespace blackstart::cli
