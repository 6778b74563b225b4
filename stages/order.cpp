#include "stages/order.h"

#include <set>

namespace blackstart::stages {
namespace {

void collect_before(const plan::Plan& plan, const plan::Stage& stage,
                    std::set<std::string>& names) {
  for (const plan::Need& need : stage.needs) {
    const plan::Stage* needed = plan.find(need.stage);
    if (needed != nullptr && names.insert(need.stage).second) collect_before(plan, *needed, names);
  }
}

}  // namespace

Others stages_of_type(const plan::Plan& plan, const plan::Stage& stage, std::string_view uses) {
  std::set<std::string> names;
  collect_before(plan, stage, names);
  Others others;
  for (const plan::Stage& other : plan.stages) {
    if (other.uses != uses) continue;
    others.all.push_back(&other);
    if (names.contains(other.name)) others.before.push_back(&other);
  }
  return others;
}

std::string written_option(const plan::Stage& stage, std::string_view name) {
  const yaml::Node* option = stage.with.find(name);
  bool plain = option != nullptr && option->kind == yaml::Node::Kind::kScalar &&
               option->scalar.find("${{") == std::string::npos;
  return plain ? option->scalar : std::string();
}

}  // namespace blackstart::stages
