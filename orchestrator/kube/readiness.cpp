#include "orchestrator/kube/readiness.h"

#include "orchestrator/base/text.h"
#include "orchestrator/kube/deletion.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

Readiness ready(std::string reason) { return {Readiness::State::kReady, std::move(reason)}; }
Readiness progressing(std::string reason) {
  return {Readiness::State::kProgressing, std::move(reason)};
}
Readiness stalled(std::string reason) { return {Readiness::State::kStalled, std::move(reason)}; }
Readiness failed(std::string reason) { return {Readiness::State::kFailed, std::move(reason)}; }

namespace {

Readiness being_deleted(const json::value& object) {
  const std::vector<std::string> why = blockers_of(object);
  return progressing("it is being deleted" + (why.empty() ? "" : ": " + join(why, "; ")));
}

}  // namespace

Readiness readiness_of(const json::value& object, const Surroundings& around) {
  const ObjectRef ref = ref_of(object);
  const std::string group = ref.group();
  if (find(object, {"metadata", "deletionTimestamp"})) return being_deleted(object);
  if (auto claim = claim_within(object, around)) return *claim;
  for (auto* rule_for : {workload_rule, core_rule, argocd_rule, gateway_rule, custom_rule}) {
    if (const ReadinessRule rule = rule_for(group, ref.kind)) return rule(object);
  }
  if (why_existing_is_enough(group, ref.kind)) return ready("it exists");
  return by_conditions(object);
}

}  // namespace blackstart::kube
