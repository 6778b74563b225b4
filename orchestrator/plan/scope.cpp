#include "orchestrator/plan/scope.h"

#include <algorithm>

#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/grammar.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

template <class Range, class Projection>
std::vector<std::string> names_of(const Range& range, Projection projection) {
  std::vector<std::string> names;
  for (const auto& item : range) names.push_back(std::invoke(projection, item));
  return names;
}

bool is_bare(const yaml::Node& when) {
  return when.kind == yaml::Node::Kind::kScalar && !has_expression(when) &&
         yaml::scalar_value(when).is_string();
}

Value evaluate_when_value(const yaml::Node& when, const Scope& scope) {
  if (is_bare(when)) return evaluate(parse_expression(when.scalar, text_place(when)), scope);
  if (has_expression(when)) {
    Template parsed = parse_template(when);
    if (parsed.is_exact()) return evaluate(*parsed.pieces.front().expression, scope);
    throw Error(ErrorClass::kUsage, "'when' must be one expression, with nothing around ${{ }}")
        .at(when.place);
  }
  return outline(when, 0);
}

}  // namespace

const Value& PlanScope::variable(const std::string& name, Place place) const {
  auto found = plan_.vars.find(name);
  if (found != plan_.vars.end()) return found->second.value;
  auto first = [](const auto& entry) { return entry.first; };
  throw Error(ErrorClass::kUsage, "unknown variable '" + name + "'")
      .at(place)
      .hint(suggester_.among(name, [&] { return names_of(plan_.vars, first); }));
}

std::string PlanScope::environment(Place place) const {
  if (!plan_.environment.empty()) return plan_.environment;
  throw Error(ErrorClass::kUsage, "env.name has no value: the plan has no environment")
      .at(place)
      .hint("add environments: to the plan's spec");
}

Value PlanScope::output(const Expression& reference) const {
  if (outputs_ == nullptr) {
    throw Error(ErrorClass::kUsage, "a stage's output cannot be used here")
        .at(reference.place)
        .hint("outputs are for 'with', 'when' and the plan's 'cluster'");
  }
  const Stage* stage = plan_.find(reference.name);
  if (stage == nullptr) {
    throw Error(ErrorClass::kUsage, "unknown stage '" + reference.name + "'")
        .at(reference.place)
        .hint(
            suggester_.among(reference.name, [&] { return names_of(plan_.stages, &Stage::name); }));
  }
  const OutputSpec* spec = nullptr;
  if (stage->schema != nullptr) {
    const auto& known = stage->schema->outputs;
    auto found = std::ranges::find(known, reference.output, &OutputSpec::name);
    if (found == known.end()) {
      throw Error(ErrorClass::kUsage, "stage '" + reference.name + "' (" + stage->uses +
                                          ") has no output '" + reference.output + "'")
          .at(reference.output_place)
          .hint(suggest(reference.output, names_of(known, &OutputSpec::name)));
    }
    spec = &*found;
  }
  Value value = unreadable(reference.place);
  value.stage = reference.name;
  value.text = reference.output;
  if (auto published = outputs_->find(reference.name); published != outputs_->end()) {
    auto output = published->second.find(reference.output);
    if (output != published->second.end()) value = Value::of(output->second, reference.place);
  }
  if (spec != nullptr && spec->secret) value.taint();
  return value;
}

Value evaluate_when(const yaml::Node& when, const Scope& scope) {
  Value value = evaluate_when_value(when, scope);
  if (value.kind == Value::Kind::kBoolean || value.kind == Value::Kind::kUnknown) return value;
  throw Error(ErrorClass::kUsage, "'when' must be true or false, not " + value.kind_text())
      .at(when.place)
      .hint("compare: vars.name == 'value'");
}

void visit_when_references(const yaml::Node& when,
                           const std::function<void(const Expression&)>& visit) {
  if (!is_bare(when)) return visit_references(when, visit);
  try {
    visit_references(parse_expression(when.scalar, text_place(when)), visit);
  } catch (const Error&) {  // reported by evaluate_when
  }
}

Value read_options(const Stage& stage, const Scope& scope, const ConformContext& context) {
  Value options = resolve_node(stage.with, scope, context.diagnostics);
  if (!options.place.known()) options.place = stage.place;
  if (stage.schema == nullptr) return options;
  std::string what = "'with' of stage '" + stage.name + "' (" + stage.uses + ")";
  conform_map(options, stage.schema->options, what, context);
  check_one_of(options, stage.schema->one_of, what, context.diagnostics);
  return options;
}

Value read_cluster(const yaml::Node& cluster, const Scope& scope, const ConformContext& context) {
  Value value = resolve_node(cluster, scope, context.diagnostics);
  conform_map(value, cluster_keys(), "'cluster'", context);
  return value;
}

}  // namespace blackstart::plan
