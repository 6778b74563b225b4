// Built-in kinds that are no workloads.
#include <boost/json/array.hpp>

#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

Readiness name_space(const json::value& object) {
  if (text_at(object, {"status", "phase"}) == "Terminating")
    return progressing("it is being deleted");
  return ready("it is active");
}

Readiness definition(const json::value& object) {
  if (auto names = condition_of(object, "NamesAccepted"); names && names->is_false())
    return failed("its names are not accepted: " + names->text());
  auto established = condition_of(object, "Established");
  if (established && established->is_true()) return ready("it is Established");
  return progressing(established && !established->message.empty()
                         ? "it is not Established: " + established->message
                         : "it is not Established yet");
}

Readiness api_service(const json::value& object) {
  auto available = condition_of(object, "Available");
  if (!available) return progressing("it is not Available yet");
  if (available->is_true()) return ready("it is Available");
  return progressing("it is not Available: " + available->text());
}

Readiness service(const json::value& object) {
  if (text_at(object, {"spec", "type"}, "ClusterIP") != "LoadBalancer") return ready("it exists");
  if (!list_at(object, {"status", "loadBalancer", "ingress"}).empty())
    return ready("its load balancer has an address");
  return progressing("its load balancer has no address yet");
}

Readiness volume_claim(const json::value& object) {
  const std::string phase = text_at(object, {"status", "phase"}, "Pending");
  if (phase == "Bound") return ready("it is Bound");
  if (phase == "Lost") return failed("its PersistentVolume is gone");
  return progressing("it is " + phase);
}

Readiness volume(const json::value& object) {
  const std::string phase = text_at(object, {"status", "phase"}, "Pending");
  if (phase == "Failed")
    return failed(text_at(object, {"status", "message"}, "its reclamation failed"));
  if (phase == "Pending") return progressing("it is Pending");
  return ready("it is " + phase);
}

Readiness node(const json::value& object) {
  auto state = condition_of(object, "Ready");
  if (state && state->is_true()) return ready("it is Ready");
  return progressing(state ? "it is not Ready: " + state->text() : "it has not reported yet");
}

Readiness disruption_budget(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  return ready("it exists");
}

Readiness autoscaler(const json::value& object) {
  if (auto able = condition_of(object, "AbleToScale"); able && able->is_false())
    return progressing(able->text());
  return ready("it exists");
}

struct Row {
  const char* group;
  const char* kind;
  ReadinessRule rule;
};

constexpr Row kRows[] = {
    {"", "Namespace", name_space},
    {"", "Service", service},
    {"", "PersistentVolumeClaim", volume_claim},
    {"", "PersistentVolume", volume},
    {"", "Node", node},
    {"apiextensions.k8s.io", "CustomResourceDefinition", definition},
    {"apiregistration.k8s.io", "APIService", api_service},
    {"policy", "PodDisruptionBudget", disruption_budget},
    {"autoscaling", "HorizontalPodAutoscaler", autoscaler},
};

}  // namespace

ReadinessRule core_rule(std::string_view group, std::string_view kind) {
  for (const Row& row : kRows) {
    if (group == row.group && kind == row.kind) return row.rule;
  }
  return nullptr;
}

}  // namespace blackstart::kube
