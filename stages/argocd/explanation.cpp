#include "stages/argocd/explanation.h"

#include <algorithm>

#include "orchestrator/kube/surroundings.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;

constexpr size_t kLookedAt = 20;  // resources of one Application

kube::Diagnosis single(std::string sentence) {
  kube::Diagnosis diagnosis;
  diagnosis.chain.push_back(std::move(sentence));
  return diagnosis;
}

/// "is paused", "is suspended"; empty for what is neither.
std::string pause_of(const json::value& live) {
  if (kube::flag_at(live, {"spec", "paused"})) return "is paused (spec.paused)";
  if (kube::flag_at(live, {"spec", "suspend"})) return "is suspended (spec.suspend)";
  for (const json::value& condition : kube::list_at(live, {"status", "pauseConditions"}))
    return "is paused (" + kube::text_at(condition, {"reason"}) + ")";
  return {};
}

/// What was read of a resource. Who may read Applications may not read all that is in them.
struct Look {
  bool readable = false;
  std::optional<json::value> live;  // nullopt: it is not there
};

Task<Look> read(kube::Client& client, kube::ObjectRef ref) {
  Look look;
  look.live = co_await client.get(std::move(ref));
  look.readable = true;
  co_return look;
}

/// The first that is paused; an empty chain when none is.
Task<kube::Diagnosis> find_paused(kube::Client& client, std::vector<kube::ObjectRef> refs) {
  for (const kube::ObjectRef& ref : refs) {
    const Look look = co_await kube::if_readable(read(client, ref));
    std::string pause = look.live ? pause_of(*look.live) : std::string();
    if (!pause.empty()) co_return single(ref.to_string() + " " + pause);
  }
  co_return kube::Diagnosis();
}

/// What is missing, has failed or has stalled counts before what is only on its way, and that
/// before what we would wait for no longer: Argo CD holds an unbound claim to be on its way,
/// whoever binds it. `may_be_gone`: hooks are taken away when they have ended.
Task<kube::Diagnosis> find_worst(kube::Client& client, std::vector<kube::ObjectRef> refs,
                                 bool may_be_gone) {
  std::vector<json::value> unready;
  for (const kube::ObjectRef& ref : refs) {
    Look look = co_await kube::if_readable(read(client, ref));
    if (!look.readable || (!look.live && may_be_gone)) continue;
    if (!look.live) co_return single(ref.to_string() + " is missing");
    if (!kube::readiness_of(*look.live).ready()) unready.push_back(std::move(*look.live));
  }
  if (unready.empty()) co_return kube::Diagnosis();
  std::vector<const json::value*> all;
  for (const json::value& one : unready) all.push_back(&one);
  const kube::Surroundings around = co_await kube::look_around(client, std::move(all));
  auto worst = std::ranges::max_element(unready, {}, [&around](const json::value& one) {
    return kube::readiness_of(one, around).state;
  });
  co_return co_await kube::diagnose(client, std::move(*worst));
}

}  // namespace

Task<kube::Diagnosis> explain(kube::Client& client, json::value application, Verdict verdict) {
  bool any = verdict.suspects.empty();
  std::vector<kube::ObjectRef> refs = any ? workloads_of(application) : verdict.suspects;
  if (refs.size() > kLookedAt) refs.resize(kLookedAt);
  if (verdict.matter == Verdict::Matter::kSuspended)
    co_return co_await find_paused(client, std::move(refs));
  co_return co_await find_worst(client, std::move(refs), !any);
}

}  // namespace blackstart::stages::argocd
