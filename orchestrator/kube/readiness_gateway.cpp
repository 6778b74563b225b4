// Gateway API: what a Gateway says of its listeners, and each of its parents of a route.
// https://gateway-api.sigs.k8s.io/geps/gep-1364/ has the meaning of the conditions.
#include <boost/json/array.hpp>

#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

std::string sentence(const std::string& who, const Condition& condition) {
  return who + ": " + condition.type + " is " + condition.status + ": " + condition.text();
}

// What is referred to may come with a later object: a certificate that is being issued, a Service
// of the same stage.
bool may_come(const Condition& condition) {
  return condition.reason == "BackendNotFound" || condition.reason == "InvalidCertificateRef";
}

// Of one listener or parent. Conflicted is well when it is False, the others when they are True.
std::optional<Readiness> objection(const std::string& who, const Condition& condition) {
  const bool conflict = condition.type == "Conflicted";
  const bool judged = conflict || condition.type == "Accepted" || condition.type == "Programmed" ||
                      condition.type == "ResolvedRefs";
  if (!judged || condition.status == (conflict ? "False" : "True")) return std::nullopt;
  const bool final_word = conflict || (condition.is_false() && condition.type != "Programmed");
  return final_word && !may_come(condition) ? stalled(sentence(who, condition))
                                            : progressing(sentence(who, condition));
}

// The first of them that objects, in the words of `who`.
std::optional<Readiness> objection_of(const std::string& who, const json::value& entry,
                                      const json::value& object) {
  for (const Condition& condition : conditions_in(list_at(entry, {"conditions"}), object)) {
    if (condition.outdated) return progressing(who + " has not looked at this generation yet");
    if (auto against = objection(who, condition)) return against;
  }
  return std::nullopt;
}

Readiness gateway(const json::value& object) {
  Readiness own = by_conditions(object);
  if (!own.ready()) return own;
  for (const json::value& listener : list_at(object, {"status", "listeners"})) {
    const std::string who = "listener " + text_at(listener, {"name"});
    if (auto against = objection_of(who, listener, object)) return *against;
  }
  return own;
}

std::string parent_name(const json::value& entry, const char* ref) {
  return text_at(entry, {ref, "kind"}, "Gateway") + ' ' + text_at(entry, {ref, "name"});
}

Readiness route(const json::value& object) {
  const json::array& parents = list_at(object, {"status", "parents"});
  const json::array& wanted = list_at(object, {"spec", "parentRefs"});
  if (wanted.empty()) return ready("it has no parent");
  if (parents.size() < wanted.size())
    return progressing(parents.empty() ? "no Gateway has looked at it yet"
                                       : "not all of its Gateways have looked at it yet");
  for (const json::value& parent : parents) {
    if (auto against = objection_of(parent_name(parent, "parentRef"), parent, object))
      return *against;
  }
  return ready("its Gateways have accepted it");
}

// A policy that nobody refers to has no ancestors, and nothing to do.
Readiness policy(const json::value& object) {
  for (const json::value& ancestor : list_at(object, {"status", "ancestors"})) {
    if (auto against = objection_of(parent_name(ancestor, "ancestorRef"), ancestor, object))
      return *against;
  }
  return by_conditions(object);
}

}  // namespace

ReadinessRule gateway_rule(std::string_view group, std::string_view kind) {
  if (group != "gateway.networking.k8s.io") return nullptr;
  if (kind == "Gateway" || kind == "ListenerSet") return gateway;
  if (kind.ends_with("Route")) return route;
  if (kind.ends_with("Policy")) return policy;
  return nullptr;
}

}  // namespace blackstart::kube
