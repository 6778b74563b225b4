// Argo CD's kinds: synced, healthy and the last operation succeeded, or why not.
#include <boost/json/array.hpp>

#include "orchestrator/kube/application.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

// An operation that failed is tried again until its retry limit (negative: for ever).
bool retries_left(const json::value& object) {
  const int64_t limit =
      number_at(object, {"status", "operationState", "operation", "retry", "limit"});
  return limit < 0 || number_at(object, {"status", "operationState", "retryCount"}) < limit;
}

// While Argo CD itself comes up, its controllers report that they cannot reach one another yet.
bool may_pass(const std::string& message) {
  for (const char* text :
       {"connection refused", "Unavailable", "DeadlineExceeded", "deadline exceeded", "i/o timeout",
        "no such host", "context canceled", "EOF", "connection reset"}) {
    if (message.find(text) != std::string::npos) return true;
  }
  return false;
}

Readiness broken(const std::string& text) {
  return may_pass(text) ? progressing(text) : failed(text);
}

std::optional<Readiness> broken_condition(const json::value& object) {
  for (const Condition& condition : conditions_of(object)) {
    if (breaks_application(condition.type))
      return broken(condition.type + ": " + condition.message);
  }
  return std::nullopt;
}

Readiness operation(const json::value& object, const std::string& phase) {
  const std::string message = text_at(object, {"status", "operationState", "message"});
  const std::string text =
      "its last operation is " + phase + (message.empty() ? "" : ": " + message);
  const bool over = phase == "Failed" || phase == "Error";
  return over && !retries_left(object) ? failed(text) : progressing(text);
}

std::string sync_text(const json::value& object, const std::string& sync) {
  if (sync.empty()) return "Argo CD has not compared it yet";
  const json::value* policy = find(object, {"spec", "syncPolicy", "automated"});
  const bool automated = policy != nullptr && flag_at(*policy, {"enabled"}, true);
  if (sync == "OutOfSync" && !automated) return "it is OutOfSync and has no automated sync";
  return "its sync status is " + sync;
}

Readiness application(const json::value& object) {
  if (auto trouble = broken_condition(object)) return *trouble;
  const std::string sync = text_at(object, {"status", "sync", "status"});
  if (!sync.empty() && !is_compared(object))
    return progressing("it has changed, and Argo CD has not compared it yet");
  const std::string phase = text_at(object, {"status", "operationState", "phase"});
  if (!phase.empty() && phase != "Succeeded") return operation(object, phase);
  if (find(object, {"operation"})) return progressing("an operation is about to start");
  if (sync != "Synced") return progressing(sync_text(object, sync));
  const std::string health = text_at(object, {"status", "health", "status"});
  if (health != "Healthy") {
    const std::string message = text_at(object, {"status", "health", "message"});
    return progressing("its health is " + (health.empty() ? "not known yet" : health) +
                       (message.empty() ? "" : ": " + message));
  }
  return ready("it is Synced and Healthy");
}

Readiness application_set(const json::value& object) {
  if (auto error = condition_of(object, "ErrorOccurred"); error && error->is_true())
    return broken(error->reason + ": " + error->message);
  if (auto valid = condition_of(object, "ParametersGenerated"); valid && valid->is_false())
    return progressing("its generators have no parameters: " + valid->text());
  auto current = condition_of(object, "ResourcesUpToDate");
  if (!current) return progressing("its controller has not looked at it yet");
  if (!current->is_true())
    return progressing("its Applications are not up to date: " + current->text());
  return ready("its Applications are up to date");
}

Readiness project(const json::value&) { return ready("it exists"); }

}  // namespace

ReadinessRule argocd_rule(std::string_view group, std::string_view kind) {
  if (group != "argoproj.io") return nullptr;
  if (kind == "Application") return application;
  if (kind == "ApplicationSet") return application_set;
  if (kind == "AppProject") return project;
  return nullptr;
}

}  // namespace blackstart::kube
