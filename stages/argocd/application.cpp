#include "stages/argocd/application.h"

#include "orchestrator/base/text.h"
#include "orchestrator/kube/application.h"
#include "orchestrator/kube/readiness.h"
#include "stages/argocd/advice.h"
#include "stages/argocd/operation.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;
using Kind = Verdict::Kind;

constexpr size_t kResourcesNamed = 5;
constexpr size_t kShortRevision = 8;

Source source_of(const json::value& source, std::string revision) {
  return {kube::text_at(source, {"repoURL"}), kube::text_at(source, {"targetRevision"}, "HEAD"),
          kube::text_at(source, {"chart"}), std::move(revision)};
}

bool is_automated(const json::value& application) {
  const json::value* automated = kube::find(application, {"spec", "syncPolicy", "automated"});
  return automated != nullptr && automated->is_object() &&
         kube::flag_at(*automated, {"enabled"}, true);
}

Verdict verdict(Kind kind, std::string reason, std::string hint = {}) {
  Verdict result;
  result.kind = kind;
  result.reason = std::move(reason);
  result.hint = std::move(hint);
  return result;
}

std::optional<Verdict> judge_conditions(const json::value& application) {
  for (const json::value& condition : kube::list_at(application, {"status", "conditions"})) {
    std::string type = kube::text_at(condition, {"type"});
    if (!kube::breaks_application(type)) continue;
    std::string message = kube::text_at(condition, {"message"});
    Verdict result = verdict(Kind::kStuck, type + ": " + message, advice_about(type, message));
    result.since = kube::text_at(condition, {"lastTransitionTime"});
    return result;
  }
  return std::nullopt;
}

std::optional<Verdict> judge_revision(const json::value& application,
                                      const ExpectedRevision& expected) {
  for (const Source& source : sources_of(application)) {
    auto wanted = expected(source);
    if (!wanted || source.revision.empty() || source.revision.starts_with(wanted->commit)) continue;
    std::string commit = short_of(wanted->commit);
    Verdict result =
        verdict(Kind::kStale, "is at revision " + short_of(source.revision) + ", not at " + commit +
                                  " (" + source.target_revision + " of the repository)");
    result.expected = wanted->commit;
    result.remedy = Remedy::kRefresh;
    if (wanted->pushed) return result;
    // However long it is waited for.
    result.kind = Kind::kStuck;
    result.reason += ": " + commit + " is not pushed";
    result.hint = "push it: git push";
    return result;
  }
  return std::nullopt;
}

std::string out_of_sync(const json::value& application) {
  std::vector<std::string> names;
  size_t count = 0;
  for (const json::value& resource : kube::list_at(application, {"status", "resources"})) {
    if (kube::text_at(resource, {"status"}) != "OutOfSync" || ++count > kResourcesNamed) continue;
    names.push_back(kube::ObjectRef{"", kube::text_at(resource, {"kind"}),
                                    kube::text_at(resource, {"namespace"}),
                                    kube::text_at(resource, {"name"})}
                        .to_string());
  }
  return names.empty() ? "" : ": " + join(names, ", ") + (count > names.size() ? ", …" : "");
}

/// Is all that differs something that Git has no more?
bool only_to_prune(const json::value& application) {
  bool any = false;
  for (const json::value& resource : kube::list_at(application, {"status", "resources"})) {
    if (kube::text_at(resource, {"status"}) != "OutOfSync") continue;
    if (!kube::flag_at(resource, {"requiresPruning"})) return false;
    any = true;
  }
  return any;
}

std::string sync_error_of(const json::value& application) {
  for (const json::value& condition : kube::list_at(application, {"status", "conditions"}))
    if (kube::text_at(condition, {"type"}) == "SyncError")
      return kube::text_at(condition, {"message"});
  return {};
}

bool was_synced_to_this(const json::value& application) {
  return kube::text_at(application, {"status", "operationState", "phase"}) == "Succeeded" &&
         revisions_at(application, {"status", "operationState", "syncResult"}) ==
             revisions_at(application, {"status", "sync"});
}

/// Why Argo CD will not sync it by itself, and what to do; empty when it will.
std::pair<std::string, std::string> why_unsynced(const json::value& application) {
  if (!is_automated(application))
    return {"it has no automated sync: it is synced by hand only",
            "sync it in Argo CD, give it an automated sync policy, or say what to make of it with "
            "`outOfSync`"};
  if (std::string error = sync_error_of(application); !error.empty())
    return {error, "correct what is named, or sync it in Argo CD"};
  bool prunes = kube::flag_at(application, {"spec", "syncPolicy", "automated", "prune"});
  if (!prunes && only_to_prune(application))
    return {"it is not in Git any more, and pruning is off: this stays",
            "remove it, switch automated pruning on, or say what to make of it with `outOfSync`"};
  bool heals = kube::flag_at(application, {"spec", "syncPolicy", "automated", "selfHeal"});
  if (was_synced_to_this(application) && !heals)
    return {"selfHeal is off: this drift stays",
            "sync it in Argo CD, switch selfHeal on, or say what to make of it with `outOfSync`"};
  return {};
}

Verdict judge_drift(const json::value& application, const std::string& status,
                    const std::string& health) {
  Verdict result = verdict(Kind::kProgressing, status + ", " + health + out_of_sync(application));
  if (status != "OutOfSync") return result;
  auto [why, hint] = why_unsynced(application);
  if (why.empty()) return result;
  result.kind = Kind::kStuck;
  result.matter = Verdict::Matter::kUnsynced;
  result.reason += " (" + why + ")";
  result.hint = std::move(hint);
  return result;
}

Verdict judge_health(const json::value& application) {
  std::string health = kube::text_at(application, {"status", "health", "status"}, "Unknown");
  std::string message = kube::text_at(application, {"status", "health", "message"});
  if (health == "Healthy") return verdict(Kind::kDone, "Synced, Healthy");
  Verdict result =
      verdict(Kind::kProgressing, "Synced, " + health + (message.empty() ? "" : ": " + message));
  result.unhealthy = true;
  if (health != "Suspended") return result;
  result.kind = Kind::kStuck;
  result.matter = Verdict::Matter::kSuspended;
  result.hint = "resume what is suspended in it, or say that it may be with `suspended: accept`";
  return result;
}

Verdict judge(const json::value& application, const ExpectedRevision& expected) {
  if (!kube::text_at(application, {"metadata", "deletionTimestamp"}).empty())
    return verdict(Kind::kProgressing, "is being deleted");
  std::string status = kube::text_at(application, {"status", "sync", "status"});
  if (auto broken = judge_conditions(application)) return *broken;
  if (status.empty()) return verdict(Kind::kProgressing, "was not looked at by Argo CD yet");
  if (!kube::is_compared(application))
    return verdict(Kind::kProgressing, "has changed, and was not compared with Git yet");
  auto operation = judge_operation(application, expected);
  if (operation && operation->kind == Kind::kProgressing) return *operation;
  if (auto stale = judge_revision(application, expected)) return *stale;
  if (operation) return *operation;
  std::string health = kube::text_at(application, {"status", "health", "status"}, "Unknown");
  return status == "Synced" ? judge_health(application) : judge_drift(application, status, health);
}

}  // namespace

std::string short_of(const std::string& revision) { return revision.substr(0, kShortRevision); }

std::vector<std::string> revisions_at(const json::value& application,
                                      std::initializer_list<std::string_view> path) {
  std::vector<std::string> revisions;
  const json::value* status = kube::find(application, path);
  if (status == nullptr) return {""};
  for (const json::value& one : kube::list_at(*status, {"revisions"}))
    revisions.push_back(one.is_string() ? std::string(one.get_string()) : std::string());
  if (revisions.empty()) revisions.push_back(kube::text_at(*status, {"revision"}));
  return revisions;
}

std::vector<Source> sources_of(const json::value& application) {
  std::vector<Source> sources;
  const json::array& many = kube::list_at(application, {"spec", "sources"});
  std::vector<std::string> revisions = revisions_at(application, {"status", "sync"});
  revisions.resize(std::max<size_t>(many.size(), 1));
  for (size_t i = 0; i < many.size(); ++i) sources.push_back(source_of(many[i], revisions[i]));
  const json::value* one = kube::find(application, {"spec", "source"});
  if (many.empty() && one != nullptr) sources.push_back(source_of(*one, revisions.front()));
  return sources;
}

Verdict judge_application(const json::value& application, const ExpectedRevision& expected) {
  Verdict result = judge(application, expected);
  result.application = kube::text_at(application, {"metadata", "name"});
  result.health = kube::text_at(application, {"status", "health", "status"});
  if (result.expected.empty())
    result.expected = join(revisions_at(application, {"status", "sync"}), ", ");
  return result;
}

std::vector<kube::ObjectRef> children_of(const json::value& application, std::string_view kind) {
  std::vector<kube::ObjectRef> children;
  for (const json::value& resource : kube::list_at(application, {"status", "resources"})) {
    if (kube::text_at(resource, {"kind"}) != kind ||
        kube::text_at(resource, {"group"}) != "argoproj.io")
      continue;
    children.push_back({"argoproj.io/v1alpha1", std::string(kind),
                        kube::text_at(resource, {"namespace"}), kube::text_at(resource, {"name"})});
  }
  return children;
}

std::vector<kube::ObjectRef> workloads_of(const json::value& application) {
  static const std::set<std::string> kKinds = {
      "Deployment", "StatefulSet", "DaemonSet",  "ReplicaSet",
      "Job",        "CronJob",     "Rollout",    "Pod",
      "Service",    "Ingress",     "APIService", "PersistentVolumeClaim"};
  std::vector<kube::ObjectRef> found;
  for (const json::value& resource : kube::list_at(application, {"status", "resources"})) {
    kube::ObjectRef ref = kube::ref_of_resource(resource);
    if (kKinds.contains(ref.kind)) found.push_back(std::move(ref));
  }
  return found;
}

}  // namespace blackstart::stages::argocd
