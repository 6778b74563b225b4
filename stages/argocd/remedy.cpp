#include "stages/argocd/remedy.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "stages/argocd/declared.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;
using engine::Action;

constexpr std::string_view kSet = "ApplicationSet ";

bool is_set(const Verdict& verdict) { return verdict.application.starts_with(kSet); }

std::string name_of(const Verdict& verdict) {
  return is_set(verdict) ? verdict.application.substr(kSet.size()) : verdict.application;
}

json::value annotation(std::string_view name, std::string_view value) {
  return json::object{{"metadata", {{"annotations", {{name, value}}}}}};
}

std::string version_of(const json::value& object) {
  return kube::text_at(object, {"metadata", "resourceVersion"});
}

/// As Argo CD's own automated sync makes it, without a revision: what Git is at by then.
json::value sync_patch(const json::value& application) {
  json::object sync;
  if (const json::value* options = kube::find(application, {"spec", "syncPolicy", "syncOptions"}))
    sync["syncOptions"] = *options;
  if (kube::flag_at(application, {"spec", "syncPolicy", "automated", "prune"}))
    sync["prune"] = true;
  json::object operation{{"initiatedBy", {{"username", "blackstart"}}}, {"sync", std::move(sync)}};
  if (const json::value* retry = kube::find(application, {"spec", "syncPolicy", "retry"}))
    operation["retry"] = *retry;
  return json::object{{"metadata", {{"resourceVersion", version_of(application)}}},
                      {"operation", std::move(operation)}};
}

/// As argocd-server ends one, and a look at Git for what comes next. One that has ended by itself
/// would stay "Terminating" for good.
json::value terminate_patch(const json::value& application) {
  json::value patch = annotation("argocd.argoproj.io/refresh", "normal");
  patch.at("metadata").as_object()["resourceVersion"] = version_of(application);
  patch.as_object()["status"] = {{"operationState", {{"phase", "Terminating"}}}};
  return patch;
}

}  // namespace

Action action_for(const Verdict& verdict) {
  Action action;
  action.details.push_back("~ " + verdict.reason);
  switch (verdict.remedy) {
    case Remedy::kSync:
      action.id = "sync-" + name_of(verdict);
      action.summary = "have Argo CD sync Application " + name_of(verdict);
      break;
    case Remedy::kTerminate:
      action.id = "terminate-" + name_of(verdict);
      action.summary = "end the operation of Application " + name_of(verdict);
      break;
    case Remedy::kRefresh:
    case Remedy::kNone:
      action.id = (is_set(verdict) ? "refresh-set-" : "refresh-") + name_of(verdict);
      action.summary = is_set(verdict)
                           ? "have Argo CD look again at what " + verdict.application + " generates"
                           : "have Argo CD look at Git again for Application " + name_of(verdict);
  }
  return action;
}

std::string occasion_of(const Verdict& verdict) {
  std::string what = action_for(verdict).id + " ";
  bool of_a_revision = verdict.kind == Verdict::Kind::kStale || verdict.remedy == Remedy::kSync;
  if (of_a_revision) return what + verdict.expected;
  return what + trouble_of(verdict);
}

kube::ObjectRef target_of(const Verdict& verdict, const std::string& name_space) {
  return {kApiVersion, is_set(verdict) ? "ApplicationSet" : "Application", name_space,
          name_of(verdict)};
}

json::value patch_for(const Verdict& verdict, const json::value& live) {
  if (verdict.remedy == Remedy::kSync) return sync_patch(live);
  if (verdict.remedy == Remedy::kTerminate) return terminate_patch(live);
  if (is_set(verdict)) return annotation("argocd.argoproj.io/application-set-refresh", "true");
  // What failed is kept by the repo-server for a while; "hard" goes past that.
  bool failed = verdict.kind == Verdict::Kind::kStuck;
  return annotation("argocd.argoproj.io/refresh", failed ? "hard" : "normal");
}

}  // namespace blackstart::stages::argocd
