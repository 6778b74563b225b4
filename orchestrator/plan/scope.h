// What names mean in the expressions of a plan whose variables are resolved.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/plan/expression.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/plan/suggest.h"

namespace blackstart::plan {

struct ConformContext;

/// Both must outlive the scope.
class PlanScope final : public Scope {
 public:
  /// Without `outputs` a stage's output is a mistake here: only with, when and cluster may use one.
  PlanScope(const Plan& plan, const Outputs* outputs) : plan_(plan), outputs_(outputs) {}

  const Value& variable(const std::string& name, Place place) const override;
  std::string environment(Place place) const override;
  Value output(const Expression& reference) const override;

 private:
  const Plan& plan_;
  const Outputs* outputs_;
  mutable Suggester suggester_;
};

/// `when:` as a boolean or unknown value. A text without ${{ is an expression as a whole.
Value evaluate_when(const yaml::Node& when, const Scope& scope);

/// The names that `when:` uses.
void visit_when_references(const yaml::Node& when,
                           const std::function<void(const Expression&)>& visit);

/// Resolves and checks a stage's `with`. `context` says where findings go.
Value read_options(const Stage& stage, const Scope& scope, const ConformContext& context);

/// The same for the plan's `cluster:`.
Value read_cluster(const yaml::Node& cluster, const Scope& scope, const ConformContext& context);

}  // namespace blackstart::plan
