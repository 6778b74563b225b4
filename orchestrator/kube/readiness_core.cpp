// Built-in kinds that are no workloads: a rule, or the reason why existing is enough.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/deletion.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

Readiness name_space(const json::value&) { return ready("it is active"); }

// As kstatus: "Installing" is the one reason with which a definition may become Established yet.
Readiness definition(const json::value& object) {
  if (auto names = condition_of(object, "NamesAccepted"); names && names->is_false())
    return failed("its names are not accepted: " + names->text());
  auto established = condition_of(object, "Established");
  if (!established) return progressing("it is not Established yet");
  if (established->is_true()) return ready("it is Established");
  const std::string text = "it is not Established: " + established->text();
  return established->reason == "Installing" ? progressing(text) : failed(text);
}

Readiness api_service(const json::value& object) {
  auto available = condition_of(object, "Available");
  if (!available) return progressing("it is not Available yet");
  if (available->is_true()) return ready("it is Available");
  return progressing("it is not Available: " + available->text());
}

// kstatus is content with a cluster address. Who asks for a load balancer wants to be reached from
// outside, and what comes next (DNS, certificates) needs the address.
Readiness service(const json::value& object) {
  if (text_at(object, {"spec", "type"}, "ClusterIP") != "LoadBalancer") return ready("it exists");
  if (!list_at(object, {"status", "loadBalancer", "ingress"}).empty())
    return ready("its load balancer has an address");
  return progressing("its load balancer has no address yet");
}

Readiness node(const json::value& object) {
  auto state = condition_of(object, "Ready");
  if (state && state->is_true()) return ready("it is Ready");
  return progressing(state ? "it is not Ready: " + state->text() : "it has not reported yet");
}

// Admission refuses whatever the quota speaks of until its controller has counted: "status unknown
// for quota". kstatus knows no rule.
Readiness quota(const json::value& object) {
  const json::value* wanted = find(object, {"spec", "hard"});
  const json::value* counted = find(object, {"status", "hard"});
  if (!wanted || !wanted->is_object()) return ready("it limits nothing");
  for (const auto& [resource, limit] : wanted->get_object()) {
    if (!counted || !counted->is_object() || !counted->get_object().contains(resource))
      return progressing("its controller has not counted " + std::string(resource) + " yet");
  }
  return ready("it is in force");
}

Readiness disruption_budget(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  return ready("it exists");
}

// Without metrics (ScalingActive) what it scales runs all the same.
Readiness autoscaler(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  if (auto able = condition_of(object, "AbleToScale"); able && able->is_false())
    return progressing(able->text());
  return ready("it exists");
}

Readiness signing_request(const json::value& object) {
  for (const char* type : {"Denied", "Failed"}) {
    if (auto refused = condition_of(object, type); refused && refused->is_true())
      return failed("it is " + std::string(type) + ": " + refused->text());
  }
  if (!text_at(object, {"status", "certificate"}).empty()) return ready("it is issued");
  if (auto approved = condition_of(object, "Approved"); approved && approved->is_true())
    return progressing("it is approved and not issued yet");
  return progressing("it is not approved yet");
}

Readiness flow_schema(const json::value& object) {
  if (auto dangling = condition_of(object, "Dangling"); dangling && dangling->is_true())
    return stalled("it is dangling: " + dangling->text());
  return ready("it exists");
}

// It is in force at once. What the type check finds are warnings: an expression that fails when it
// runs does what the failurePolicy says.
Readiness admission_policy(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  std::vector<std::string> warnings;
  for (const json::value& one : list_at(object, {"status", "typeChecking", "expressionWarnings"}))
    warnings.push_back(text_at(one, {"fieldRef"}) + ": " + text_at(one, {"warning"}));
  if (warnings.empty()) return ready("it is in force");
  return ready("it is in force, though its type check warns: " + join(warnings, "; "));
}

struct Rule {
  std::string_view group, kind;
  ReadinessRule rule;
};

constexpr Rule kRules[] = {
    {"", "Namespace", name_space},
    {"", "Node", node},
    {"", "PersistentVolume", volume},
    {"", "PersistentVolumeClaim", volume_claim},
    {"", "ResourceQuota", quota},
    {"", "Service", service},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", admission_policy},
    {"apiextensions.k8s.io", "CustomResourceDefinition", definition},
    {"apiregistration.k8s.io", "APIService", api_service},
    {"autoscaling", "HorizontalPodAutoscaler", autoscaler},
    {"certificates.k8s.io", "CertificateSigningRequest", signing_request},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", flow_schema},
    {"networking.k8s.io", "ServiceCIDR", by_conditions},
    {"policy", "PodDisruptionBudget", disruption_budget},
    {"storage.k8s.io", "VolumeAttachment", volume_attachment},
};

constexpr const char* kRead = "it is data that others read";
constexpr const char* kConsulted = "it is in force as soon as it is stored";
constexpr const char* kAnswered = "it is answered at once and not stored";
constexpr const char* kReported = "others write it to report";

struct Existing {
  std::string_view group, kind;
  const char* why;
};

constexpr Existing kExisting[] = {
    {"", "Binding", kAnswered},
    {"", "ComponentStatus", kReported},
    {"", "ConfigMap", kRead},
    {"", "Endpoints", kRead},
    {"", "Event", kReported},
    {"", "LimitRange", kConsulted},
    {"", "PodTemplate", kRead},
    {"", "Secret", kRead},
    {"", "ServiceAccount", kRead},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicy", kConsulted},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", kConsulted},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration",
     "whether its webhooks can be called shows with the first call"},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", kConsulted},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration",
     "whether its webhooks can be called shows with the first call"},
    {"apps", "ControllerRevision", kRead},
    {"authentication.k8s.io", "SelfSubjectReview", kAnswered},
    {"authentication.k8s.io", "TokenReview", kAnswered},
    {"authorization.k8s.io", "LocalSubjectAccessReview", kAnswered},
    {"authorization.k8s.io", "SelfSubjectAccessReview", kAnswered},
    {"authorization.k8s.io", "SelfSubjectRulesReview", kAnswered},
    {"authorization.k8s.io", "SubjectAccessReview", kAnswered},
    {"coordination.k8s.io", "Lease", kReported},
    {"discovery.k8s.io", "EndpointSlice", kRead},
    {"events.k8s.io", "Event", kReported},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", kConsulted},
    {"networking.k8s.io", "IPAddress", kReported},
    // As kstatus. Many controllers never write an address into its status.
    {"networking.k8s.io", "Ingress", "not every controller reports what it made of it"},
    {"networking.k8s.io", "IngressClass", kRead},
    {"networking.k8s.io", "NetworkPolicy", "no network plugin reports what it made of it"},
    {"node.k8s.io", "RuntimeClass", kRead},
    {"rbac.authorization.k8s.io", "ClusterRole", kConsulted},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", kConsulted},
    {"rbac.authorization.k8s.io", "Role", kConsulted},
    {"rbac.authorization.k8s.io", "RoleBinding", kConsulted},
    {"resource.k8s.io", "DeviceClass", kRead},
    {"resource.k8s.io", "ResourceClaim", "it is allocated when a pod uses it"},
    {"resource.k8s.io", "ResourceClaimTemplate", kRead},
    {"resource.k8s.io", "ResourceSlice", kReported},
    {"scheduling.k8s.io", "PriorityClass", kRead},
    {"storage.k8s.io", "CSIDriver", kRead},
    {"storage.k8s.io", "CSINode", kReported},
    {"storage.k8s.io", "CSIStorageCapacity", kReported},
    {"storage.k8s.io", "StorageClass", kRead},
    {"storage.k8s.io", "VolumeAttributesClass", kRead},
};

}  // namespace

ReadinessRule core_rule(std::string_view group, std::string_view kind) {
  for (const Rule& row : kRules) {
    if (group == row.group && kind == row.kind) return row.rule;
  }
  return nullptr;
}

const char* why_existing_is_enough(std::string_view group, std::string_view kind) {
  for (const Existing& row : kExisting) {
    if (group == row.group && kind == row.kind) return row.why;
  }
  return nullptr;
}

}  // namespace blackstart::kube
