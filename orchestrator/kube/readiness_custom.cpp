// Kinds of others that report a state in place of conditions.
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

// cert-manager's Order and Challenge: the states of RFC 8555, 7.1.6, and "errored", of their own.
Readiness acme(const json::value& object) {
  const std::string state = text_at(object, {"status", "state"});
  const std::string reason = text_at(object, {"status", "reason"});
  const std::string why = reason.empty() ? "" : ": " + reason;
  if (state == "valid") return ready("it is valid");
  if (state == "invalid" || state == "expired" || state == "errored")
    return failed("it is " + state + why);
  return progressing(
      (state.empty() ? "its controller has not looked at it yet" : "it is " + state) + why);
}

}  // namespace

ReadinessRule custom_rule(std::string_view group, std::string_view kind) {
  if (group == "acme.cert-manager.io" && (kind == "Order" || kind == "Challenge")) return acme;
  return nullptr;
}

}  // namespace blackstart::kube
