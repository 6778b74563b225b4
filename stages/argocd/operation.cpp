#include "stages/argocd/operation.h"

#include <charconv>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/application.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;
using Kind = Verdict::Kind;

constexpr size_t kNamed = 5;

/// "PreSync hook Job demo/migrate"; without the hook for what is none.
std::string title_of(const json::value& result) {
  std::string hook = kube::text_at(result, {"hookType"});
  return (hook.empty() ? "" : hook + " hook ") + kube::ref_of_resource(result).to_string();
}

/// What failed of the operation's resources: a phrase each, and what there is to look into.
void add_failures(const json::value& application, Verdict& verdict) {
  for (const json::value& result : kube::sync_results(application)) {
    if (!kube::failed_to_sync(result) || verdict.causes.size() >= kNamed) continue;
    verdict.causes.push_back(title_of(result) + ": " + kube::text_at(result, {"message"}));
    // One that was refused is not there, or is there as it was before.
    if (kube::text_at(result, {"status"}) != "SyncFailed")
      verdict.suspects.push_back(kube::ref_of_resource(result));
  }
}

size_t failed_count(const json::value& application) {
  const json::array& results = kube::sync_results(application);
  return static_cast<size_t>(std::count_if(results.begin(), results.end(), kube::failed_to_sync));
}

/// "1 of 40 resources failed: Service demo/web: port taken"; Argo CD's own message when it tells of
/// none.
std::string failure_of(const json::value& application, const Verdict& verdict) {
  if (verdict.causes.empty())
    return kube::text_at(application, {"status", "operationState", "message"});
  size_t all = std::max(kube::list_at(application, {"status", "resources"}).size(),
                        kube::sync_results(application).size());
  return std::to_string(failed_count(application)) + " of " + count_of(all, "resource") +
         " failed: " + verdict.causes.front();
}

Verdict failed(const json::value& application, const std::string& phase) {
  Verdict verdict;
  verdict.kind = Kind::kStuck;
  verdict.matter = Verdict::Matter::kFailedSync;
  add_failures(application, verdict);
  verdict.unhealthy = !verdict.suspects.empty();
  std::string why = failure_of(application, verdict);
  verdict.reason = std::string("its last sync ") +
                   (phase == "Failed" ? "failed" : "ended in an error") +
                   (why.empty() ? "" : ": " + why);
  verdict.hint =
      "correct what is named in Git: Argo CD tries again at the next commit. Where Git is right, "
      "sync it in Argo CD, or set outOfSync: sync";
  return verdict;
}

/// What an operation says that it waits for: "waiting for healthy state of apps/Deployment/web and
/// 2 more resources", "waiting for completion of hook batch/Job/migrate".
struct Gate {
  bool hook = false;
  std::string group, kind, name;
  size_t more = 0;
};

std::optional<Gate> gate_of(std::string_view message) {
  constexpr std::string_view kHealth = "waiting for healthy state of ";
  constexpr std::string_view kHook = "waiting for completion of hook ";
  Gate gate;
  gate.hook = message.starts_with(kHook);
  if (!gate.hook && !message.starts_with(kHealth)) return std::nullopt;
  message.remove_prefix(gate.hook ? kHook.size() : kHealth.size());
  std::string_view resource = message.substr(0, message.find(' '));
  std::vector<std::string> parts = split(resource, '/');
  if (parts.size() != 3) return std::nullopt;
  gate.group = parts[0];
  gate.kind = parts[1];
  gate.name = parts[2];
  constexpr std::string_view kAnd = " and ";
  message.remove_prefix(resource.size());
  if (message.starts_with(kAnd))
    std::from_chars(message.data() + kAnd.size(), message.data() + message.size(), gate.more);
  return gate;
}

bool is(const json::value& resource, const Gate& gate) {
  return kube::text_at(resource, {"group"}) == gate.group &&
         kube::text_at(resource, {"kind"}) == gate.kind &&
         kube::text_at(resource, {"name"}) == gate.name;
}

const json::value* find_in(const json::array& resources, const Gate& gate) {
  auto found = std::find_if(resources.begin(), resources.end(),
                            [&](const json::value& one) { return is(one, gate); });
  return found == resources.end() ? nullptr : &*found;
}

/// "; it holds back ConfigMap demo/later (wave 1), …": what is not synced and of a later wave.
std::string held_back(const json::value& application, int64_t wave) {
  std::vector<std::string> names;
  size_t count = 0;
  for (const json::value& resource : kube::list_at(application, {"status", "resources"})) {
    int64_t later = kube::number_at(resource, {"syncWave"});
    if (later <= wave || kube::text_at(resource, {"status"}) != "OutOfSync") continue;
    if (++count <= kNamed)
      names.push_back(kube::ref_of_resource(resource).to_string() + " (wave " +
                      std::to_string(later) + ")");
  }
  if (names.empty()) return {};
  return "; it holds back " + join(names, ", ") + (count > names.size() ? ", …" : "");
}

/// What the running operation waits for; Argo CD's own message when that names no resource.
void describe_gate(const json::value& application, const std::string& message, Verdict& verdict) {
  auto gate = gate_of(message);
  const json::value* result = gate ? find_in(kube::sync_results(application), *gate) : nullptr;
  if (result == nullptr) {
    if (!message.empty()) verdict.reason += ": " + message;
    return;
  }
  verdict.suspects.push_back(kube::ref_of_resource(*result));
  verdict.unhealthy = true;
  std::string more = gate->more == 0 ? "" : " and " + std::to_string(gate->more) + " more";
  if (gate->hook) {
    verdict.reason +=
        ": it waits for " + title_of(*result) + more + " to complete, and does nothing else before";
    return;
  }
  const json::value* resource = find_in(kube::list_at(application, {"status", "resources"}), *gate);
  int64_t wave = resource == nullptr ? 0 : kube::number_at(*resource, {"syncWave"});
  verdict.reason += ": wave " + std::to_string(wave) + " waits for " + title_of(*result) + more +
                    " to be healthy" + held_back(application, wave);
}

/// ", retry 4 of 5", ", retry 20 without end".
std::string tries_of(const json::value& application, int64_t retries) {
  if (retries == 0) return {};
  int64_t limit =
      kube::number_at(application, {"status", "operationState", "operation", "retry", "limit"});
  return ", retry " + std::to_string(retries) +
         (limit < 0 ? " without end" : " of " + std::to_string(limit));
}

/// What Git is at as far as Argo CD can know.
std::string newest_of(const Source& source, const ExpectedRevision& expected) {
  auto wanted = expected(source);
  return wanted && wanted->pushed ? wanted->commit : source.revision;
}

/// "; it is pinned to revision aaaaaaaa, and Git is at bbbbbbbb"; empty when it is not.
std::string pinned_to(const json::value& application, const ExpectedRevision& expected) {
  std::vector<std::string> at =
      revisions_at(application, {"status", "operationState", "operation", "sync"});
  std::vector<Source> sources = sources_of(application);
  for (size_t i = 0; i < sources.size() && i < at.size(); ++i) {
    std::string newest = newest_of(sources[i], expected);
    if (at[i].empty() || newest.empty() || at[i].starts_with(newest)) continue;
    return "; it is pinned to revision " + short_of(at[i]) + ", and Git is at " + short_of(newest);
  }
  return {};
}

Verdict running(const json::value& application, const ExpectedRevision& expected,
                const std::string& phase) {
  const int64_t retries = kube::number_at(application, {"status", "operationState", "retryCount"});
  Verdict verdict;
  verdict.reason = phase == "Terminating" ? "its operation is being ended" : "is being synced";
  if (phase != "Running") return verdict;
  verdict.retrying = retries > 0;
  verdict.reason += tries_of(application, retries);
  add_failures(application, verdict);
  if (verdict.retrying && !verdict.causes.empty()) {
    verdict.failure = failure_of(application, verdict);
    verdict.reason += ": " + verdict.failure;
    verdict.unhealthy = !verdict.suspects.empty();
  }
  if (!verdict.retrying)
    describe_gate(application, kube::text_at(application, {"status", "operationState", "message"}),
                  verdict);
  std::string pinned = pinned_to(application, expected);
  if (pinned.empty()) return verdict;
  verdict.matter = Verdict::Matter::kPinned;
  verdict.trouble = "pinned" + pinned;
  verdict.reason += pinned;
  bool endless =
      kube::number_at(application, {"status", "operationState", "operation", "retry", "limit"}) < 0;
  // With an end it gives up by itself, and the newest revision has its turn.
  if (verdict.retrying && endless) verdict.kind = Kind::kStuck;
  verdict.hint =
      "end the operation in Argo CD, or set terminatePinned: true: it then syncs what Git is at";
  return verdict;
}

}  // namespace

std::optional<Verdict> judge_operation(const json::value& application,
                                       const ExpectedRevision& expected) {
  std::string phase = kube::text_at(application, {"status", "operationState", "phase"});
  if (phase == "Failed" || phase == "Error") return failed(application, phase);
  bool waiting = kube::find(application, {"operation"}) != nullptr;
  if (phase == "Running" || phase == "Terminating" || waiting)
    return running(application, expected, phase);
  return std::nullopt;
}

}  // namespace blackstart::stages::argocd
