// The rules behind readiness_of, by family of kinds. Each is pure and looks at one object.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/kube/readiness.h"

namespace blackstart::kube {

Readiness ready(std::string reason);
Readiness progressing(std::string reason);
Readiness stalled(std::string reason);
Readiness failed(std::string reason);

/// One of status.conditions.
struct Condition {
  std::string type, status, reason, message;
  bool outdated = false;  // of an earlier generation, by its own observedGeneration or the status's
  bool is_true() const { return status == "True"; }
  bool is_false() const { return status == "False"; }
  /// The message, or the reason when it has none, or the type.
  std::string text() const;
};
std::vector<Condition> conditions_of(const boost::json::value& object);
/// The same of another list of conditions in the status of `object`: of a listener, of a parent.
std::vector<Condition> conditions_in(const boost::json::array& list,
                                     const boost::json::value& object);
/// nullopt when the object has no condition of that type.
std::optional<Condition> condition_of(const boost::json::value& object, std::string_view type);

/// Progressing when the controller has not seen this generation yet; else nullopt.
std::optional<Readiness> unseen_generation(const boost::json::value& object);

using ReadinessRule = Readiness (*)(const boost::json::value&);
/// The rule for a kind, or null.
ReadinessRule workload_rule(std::string_view group, std::string_view kind);  // apps, batch, Pod
ReadinessRule core_rule(std::string_view group, std::string_view kind);  // everything else built in
ReadinessRule argocd_rule(std::string_view group, std::string_view kind);
ReadinessRule custom_rule(std::string_view group, std::string_view kind);  // kinds with states
ReadinessRule gateway_rule(std::string_view group, std::string_view kind);

Readiness volume_claim(const boost::json::value& object);
Readiness volume(const boost::json::value& object);
Readiness volume_attachment(const boost::json::value& object);
bool is_pending_claim(const boost::json::value& object);
/// Of a pending claim: what its StorageClass makes of it. nullopt for everything else, and when the
/// class is not known.
std::optional<Readiness> claim_within(const boost::json::value& object, const Surroundings& around);

/// Why a built-in kind is ready as soon as it exists; null when it has a rule or is not built in.
const char* why_existing_is_enough(std::string_view group, std::string_view kind);

/// For all other kinds: by their conditions, ready when there are none.
Readiness by_conditions(const boost::json::value& object);

}  // namespace blackstart::kube
