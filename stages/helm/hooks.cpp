#include "stages/helm/hooks.h"

#include "orchestrator/base/text.h"
#include "orchestrator/kube/diagnosis.h"
#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/manifest.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::stages::helm {
namespace {

/// "pre-install,pre-upgrade"; empty for what is no hook.
std::string moments_of(const boost::json::value& hook) {
  return kube::text_at(hook, {"metadata", "annotations", "helm.sh/hook"});
}

/// helm names the moment: "failed pre-install: …", "pre-upgrade hooks failed: …".
bool concerns(const std::string& text, const boost::json::value& hook) {
  for (const std::string& moment : split(moments_of(hook), ','))
    if (!trim(moment).empty() && text.find(trim(moment)) != std::string::npos) return true;
  return false;
}

Task<void> add_job(kube::Client& client, boost::json::value job, Error& error) {
  std::string title = "hook " + moments_of(job) + ": ";
  std::string name = kube::ref_of(job).to_string();
  kube::Diagnosis diagnosis = co_await kube::diagnose(client, std::move(job));
  error.because(title + diagnosis.sentence());
  for (std::string& line : diagnosis.details) error.because(std::move(line));
  error.hint("correct what the hook " + name + " stumbles over, then apply again");
}

}  // namespace

Task<void> explain_hooks(kube::Client& client, std::string hooks, std::string name_space,
                         Error& error) {
  Diagnostics ignored;
  const kube::Manifests rendered = kube::read_manifests(hooks, "hooks", ignored);
  for (const kube::Manifest& hook : rendered) {
    kube::ObjectRef ref = hook.ref();
    if (ref.kind != "Job" || !concerns(error.full_text(), hook.object)) continue;
    if (ref.name_space.empty()) ref.name_space = name_space;
    auto job = co_await kube::if_readable(client.get(std::move(ref)));
    if (job && !kube::readiness_of(*job).ready())
      co_return co_await add_job(client, std::move(*job), error);
  }
}

}  // namespace blackstart::stages::helm
