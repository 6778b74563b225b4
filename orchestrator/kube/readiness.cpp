#include "orchestrator/kube/readiness.h"

#include <boost/json/array.hpp>

#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

Readiness ready(std::string reason) { return {Readiness::State::kReady, std::move(reason)}; }
Readiness progressing(std::string reason) {
  return {Readiness::State::kProgressing, std::move(reason)};
}
Readiness failed(std::string reason) { return {Readiness::State::kFailed, std::move(reason)}; }

std::string Condition::text() const {
  if (!message.empty()) return message;
  return reason.empty() ? type : reason;
}

std::vector<Condition> conditions_of(const json::value& object) {
  std::vector<Condition> result;
  for (const json::value& one : list_at(object, {"status", "conditions"})) {
    result.push_back({text_at(one, {"type"}), text_at(one, {"status"}), text_at(one, {"reason"}),
                      text_at(one, {"message"})});
  }
  return result;
}

std::optional<Condition> condition_of(const json::value& object, std::string_view type) {
  for (Condition& condition : conditions_of(object)) {
    if (condition.type == type) return std::move(condition);
  }
  return std::nullopt;
}

std::optional<Readiness> unseen_generation(const json::value& object) {
  const int64_t generation = number_at(object, {"metadata", "generation"});
  const json::value* seen = find(object, {"status", "observedGeneration"});
  if (!seen || !seen->is_number() ||
      number_at(object, {"status", "observedGeneration"}) >= generation)
    return std::nullopt;
  return progressing("its controller has not looked at generation " + std::to_string(generation) +
                     " yet");
}

Readiness by_conditions(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  if (auto stalled = condition_of(object, "Stalled"); stalled && stalled->is_true())
    return failed(stalled->text());
  if (auto busy = condition_of(object, "Reconciling"); busy && busy->is_true())
    return progressing(busy->text());
  for (const char* type : {"Ready", "Available", "Accepted", "Programmed", "Established"}) {
    auto condition = condition_of(object, type);
    if (!condition) continue;
    if (!condition->is_true())
      return progressing(std::string(type) + " is " + condition->status + ": " + condition->text());
    return ready(std::string("it is ") + type);
  }
  return ready("it exists");
}

Readiness readiness_of(const json::value& object) {
  const ObjectRef ref = ref_of(object);
  if (find(object, {"metadata", "deletionTimestamp"})) return progressing("it is being deleted");
  for (auto* rule_for : {workload_rule, core_rule, argocd_rule}) {
    if (const ReadinessRule rule = rule_for(ref.group(), ref.kind)) return rule(object);
  }
  return by_conditions(object);
}

}  // namespace blackstart::kube
