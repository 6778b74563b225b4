#include "orchestrator/kube/readiness.h"

#include <boost/json/array.hpp>

#include "orchestrator/base/text.h"
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
  const int64_t generation = number_at(object, {"metadata", "generation"});
  const int64_t seen = number_at(object, {"status", "observedGeneration"}, generation);
  std::vector<Condition> result;
  for (const json::value& one : list_at(object, {"status", "conditions"})) {
    const bool outdated = number_at(one, {"observedGeneration"}, seen) < generation;
    result.push_back({text_at(one, {"type"}), text_at(one, {"status"}), text_at(one, {"reason"}),
                      text_at(one, {"message"}), outdated});
  }
  return result;
}

std::optional<Condition> condition_of(const json::value& object, std::string_view type) {
  for (Condition& condition : conditions_of(object)) {
    if (condition.type == type) return std::move(condition);
  }
  return std::nullopt;
}

namespace {

Readiness unseen(const json::value& object) {
  return progressing("its controller has not looked at generation " +
                     std::to_string(number_at(object, {"metadata", "generation"})) + " yet");
}

// What one condition of the usual types says against the object's being ready.
std::optional<Readiness> objection(const json::value& object, const Condition& condition) {
  if (condition.outdated) return unseen(object);
  if (condition.type == "Stalled")
    return condition.is_true() ? std::optional(failed(condition.text())) : std::nullopt;
  if (condition.type == "Reconciling")
    return condition.is_true() ? std::optional(progressing(condition.text())) : std::nullopt;
  if (condition.is_true()) return std::nullopt;
  return progressing(condition.type + " is " + condition.status + ": " + condition.text());
}

}  // namespace

std::optional<Readiness> unseen_generation(const json::value& object) {
  const int64_t generation = number_at(object, {"metadata", "generation"});
  if (number_at(object, {"status", "observedGeneration"}, generation) >= generation)
    return std::nullopt;
  return unseen(object);
}

Readiness by_conditions(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  std::vector<std::string> held;
  for (const char* type :
       {"Stalled", "Reconciling", "Ready", "Available", "Accepted", "Programmed", "Established"}) {
    const auto condition = condition_of(object, type);
    if (!condition) continue;
    if (auto against = objection(object, *condition)) return *against;
    if (condition->is_true()) held.push_back(type);
  }
  return ready(held.empty() ? "it exists" : "it is " + join(held, " and "));
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
