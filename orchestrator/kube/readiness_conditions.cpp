// What conditions say: the usual types, and what is known of the conditions of certain kinds.
#include <boost/json/array.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

using State = Readiness::State;

std::string Condition::text() const {
  if (!message.empty()) return message;
  return reason.empty() ? type : reason;
}

std::vector<Condition> conditions_in(const json::array& list, const json::value& object) {
  const int64_t generation = number_at(object, {"metadata", "generation"});
  const int64_t seen = number_at(object, {"status", "observedGeneration"}, generation);
  std::vector<Condition> result;
  for (const json::value& one : list) {
    const bool outdated = number_at(one, {"observedGeneration"}, seen) < generation;
    result.push_back({text_at(one, {"type"}), text_at(one, {"status"}), text_at(one, {"reason"}),
                      text_at(one, {"message"}), outdated});
  }
  return result;
}

std::vector<Condition> conditions_of(const json::value& object) {
  return conditions_in(list_at(object, {"status", "conditions"}), object);
}

std::optional<Condition> condition_of(const json::value& object, std::string_view type) {
  for (Condition& condition : conditions_of(object)) {
    if (condition.type == type) return std::move(condition);
  }
  return std::nullopt;
}

namespace {

// What a condition of a kind means beyond "not yet". Empty fields stand for any. A group also
// stands for those below it: "toolkit.fluxcd.io" for "source.toolkit.fluxcd.io".
struct Meaning {
  std::string_view group, kind, type, status, reason;
  State state;
};

constexpr Meaning kMeanings[] = {
    // A request is not tried again: its Certificate makes another one.
    {"cert-manager.io", "CertificateRequest", "Denied", "True", "", State::kFailed},
    {"cert-manager.io", "CertificateRequest", "InvalidRequest", "True", "", State::kFailed},
    {"cert-manager.io", "CertificateRequest", "Ready", "False", "Failed", State::kFailed},
    {"cert-manager.io", "CertificateRequest", "Ready", "False", "Denied", State::kFailed},
    {"cert-manager.io", "Certificate", "Issuing", "False", "Failed", State::kStalled},
    {"cert-manager.io", "Certificate", "Issuing", "False", "Denied", State::kStalled},
    {"cert-manager.io", "Certificate", "Issuing", "False", "InvalidRequest", State::kStalled},
    {"cert-manager.io", "Issuer", "Ready", "False", "", State::kStalled},
    {"cert-manager.io", "ClusterIssuer", "Ready", "False", "", State::kStalled},
    {"external-secrets.io", "", "Ready", "False", "", State::kStalled},
    // Flux says Reconciling=True beside Ready=False while it is on its way.
    {"toolkit.fluxcd.io", "", "Ready", "False", "", State::kStalled},
    // Knative says Unknown while it is on its way.
    {"knative.dev", "", "Ready", "False", "", State::kStalled},
    {"gateway.networking.k8s.io", "GatewayClass", "Accepted", "False", "", State::kStalled},
    {"gateway.networking.k8s.io", "Gateway", "Accepted", "False", "", State::kStalled},
    {"gateway.networking.k8s.io", "Gateway", "Programmed", "False", "Invalid", State::kStalled},
    {"tekton.dev", "", "Succeeded", "False", "", State::kFailed},
    // Crossplane's managed resources and composites, whose groups are anybody's.
    {"", "", "Synced", "False", "ReconcileError", State::kStalled},
};

// Kinds whose controllers always report this condition: without it nobody has looked yet. kstatus
// takes an object without conditions for ready; in a bring-up that is the state of everything whose
// controller does not run yet.
struct Report {
  std::string_view group, kind, type;
};

constexpr Report kReports[] = {
    {"cert-manager.io", "Certificate", "Ready"},
    {"cert-manager.io", "CertificateRequest", "Ready"},
    {"cert-manager.io", "Issuer", "Ready"},
    {"cert-manager.io", "ClusterIssuer", "Ready"},
    {"external-secrets.io", "ExternalSecret", "Ready"},
    {"external-secrets.io", "ClusterExternalSecret", "Ready"},
    {"external-secrets.io", "PushSecret", "Ready"},
    {"external-secrets.io", "SecretStore", "Ready"},
    {"external-secrets.io", "ClusterSecretStore", "Ready"},
    {"toolkit.fluxcd.io", "GitRepository", "Ready"},
    {"toolkit.fluxcd.io", "OCIRepository", "Ready"},
    {"toolkit.fluxcd.io", "Bucket", "Ready"},
    {"toolkit.fluxcd.io", "HelmChart", "Ready"},
    {"toolkit.fluxcd.io", "HelmRelease", "Ready"},
    {"toolkit.fluxcd.io", "Kustomization", "Ready"},
    {"serving.knative.dev", "", "Ready"},
    {"gateway.networking.k8s.io", "GatewayClass", "Accepted"},
    {"gateway.networking.k8s.io", "Gateway", "Programmed"},
    {"networking.k8s.io", "ServiceCIDR", "Ready"},
};

bool stands_for(std::string_view wanted, std::string_view group) {
  if (wanted.empty() || group == wanted) return true;
  return group.ends_with(wanted) && group[group.size() - wanted.size() - 1] == '.';
}

bool fits(std::string_view wanted, std::string_view text) {
  return wanted.empty() || wanted == text;
}

Readiness unseen(const json::value& object) {
  return progressing("its controller has not looked at generation " +
                     std::to_string(number_at(object, {"metadata", "generation"})) + " yet");
}

std::string sentence(const Condition& condition) {
  return condition.type + " is " + condition.status + ": " + condition.text();
}

std::optional<Readiness> known_meaning(const ObjectRef& ref, const Condition& condition) {
  const std::string group = ref.group();
  for (const Meaning& one : kMeanings) {
    if (stands_for(one.group, group) && fits(one.kind, ref.kind) && one.type == condition.type &&
        one.status == condition.status && fits(one.reason, condition.reason))
      return Readiness{one.state, sentence(condition)};
  }
  return std::nullopt;
}

bool is_unreported(const json::value& object) {
  const ObjectRef ref = ref_of(object);
  const std::string group = ref.group();
  for (const Report& one : kReports) {
    if (stands_for(one.group, group) && fits(one.kind, ref.kind) && !condition_of(object, one.type))
      return true;
  }
  return false;
}

// What one condition of the usual types says against the object's being ready.
std::optional<Readiness> objection(const json::value& object, const Condition& condition) {
  if (condition.outdated) return unseen(object);
  if (condition.type == "Stalled")
    return condition.is_true() ? std::optional(failed(condition.text())) : std::nullopt;
  if (condition.type == "Reconciling")
    return condition.is_true() ? std::optional(progressing(condition.text())) : std::nullopt;
  if (condition.is_true()) return std::nullopt;
  return progressing(sentence(condition));
}

std::optional<Readiness> known_trouble(const json::value& object) {
  const ObjectRef ref = ref_of(object);
  const auto said = condition_of(object, "Ready");
  const bool is_ready = said && said->is_true();
  for (const Condition& condition : conditions_of(object)) {
    if (condition.outdated) continue;
    // A renewal has failed and is tried again: the certificate that there is still holds.
    if (condition.type == "Issuing" && is_ready) continue;
    if (auto known = known_meaning(ref, condition)) return known;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Readiness> unseen_generation(const json::value& object) {
  const int64_t generation = number_at(object, {"metadata", "generation"});
  if (number_at(object, {"status", "observedGeneration"}, generation) >= generation)
    return std::nullopt;
  return unseen(object);
}

// kstatus knows Stalled, Reconciling and Ready. The others are what well-known controllers say
// instead of Ready, or beside it: Gateway API (Accepted, Programmed), Crossplane (Synced,
// Installed, Healthy), Tekton (Succeeded).
Readiness by_conditions(const json::value& object) {
  if (auto unseen = unseen_generation(object)) return *unseen;
  if (is_unreported(object)) return progressing("its controller has not looked at it yet");
  std::vector<std::string> held;
  for (const char* type : {"Stalled", "Reconciling"}) {
    const auto condition = condition_of(object, type);
    if (!condition) continue;
    if (auto against = objection(object, *condition)) return *against;
  }
  if (auto trouble = known_trouble(object)) return *trouble;
  for (const char* type : {"Ready", "Available", "Accepted", "Programmed", "Established",
                           "Installed", "Healthy", "Synced", "Succeeded"}) {
    const auto condition = condition_of(object, type);
    if (!condition) continue;
    if (auto against = objection(object, *condition)) return *against;
    held.push_back(type);
  }
  return ready(held.empty() ? "it exists" : "it is " + join(held, " and "));
}

}  // namespace blackstart::kube
