// What the engine asks of a loaded plan while it runs.
#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/plan/scope.h"

namespace blackstart::plan {
namespace {

void throw_first(const Diagnostics& diagnostics) {
  if (!diagnostics.has_errors()) return;
  for (const Diagnostic& finding : diagnostics.sorted()) {
    if (finding.severity != Severity::kError) continue;
    throw Error(ErrorClass::kUsage, finding.message).at(finding.place).hint(finding.hint);
  }
}

}  // namespace

const Stage* Plan::find(const std::string& stage) const {
  auto found = positions.find(stage);
  return found == positions.end() ? nullptr : &stages[found->second];
}

Value resolve_options(const Stage& stage, const Plan& plan, const Outputs& outputs) {
  Diagnostics diagnostics;
  ConformContext context{diagnostics, plan.folder, true, {}};
  Value value = read_options(stage, PlanScope(plan, &outputs), context);
  throw_first(diagnostics);
  return value;
}

std::optional<Value> resolve_cluster(const Plan& plan, const Outputs& outputs) {
  if (!plan.cluster) return std::nullopt;
  Diagnostics diagnostics;
  ConformContext context{diagnostics, plan.folder, true, {}};
  Value value = read_cluster(*plan.cluster, PlanScope(plan, &outputs), context);
  throw_first(diagnostics);
  return value;
}

bool is_wanted(const Stage& stage, const Plan& plan, const Outputs& outputs) {
  if (!stage.when) return true;
  Value value = evaluate_when(*stage.when, PlanScope(plan, &outputs));
  if (value.kind == Value::Kind::kUnknown) throw NotKnownYet{value.stage, value.text};
  return value.boolean;
}

}  // namespace blackstart::plan
