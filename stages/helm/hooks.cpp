#include "stages/helm/hooks.h"

#include "orchestrator/kube/diagnosis.h"
#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::stages::helm {
namespace {

/// "failed pre-install: …", "pre-upgrade hooks failed: …".
bool speaks_of_hook(const Error& error) {
  std::string text = error.full_text();
  for (const char* when : {"pre-install", "post-install", "pre-upgrade", "post-upgrade",
                           "pre-rollback", "post-rollback", "pre-delete", "post-delete"})
    if (text.find(when) != std::string::npos) return true;
  return false;
}

}  // namespace

Task<void> explain_hooks(kube::Client& client, std::string name_space, Error& error) {
  if (!speaks_of_hook(error)) co_return;
  auto jobs = co_await kube::if_readable(client.list("batch/v1", "Job", std::move(name_space)));
  if (!jobs) co_return;
  for (const boost::json::value& job : jobs->items) {
    std::string hook = kube::text_at(job, {"metadata", "annotations", "helm.sh/hook"});
    if (hook.empty() || kube::readiness_of(job).ready()) continue;
    kube::Diagnosis diagnosis = co_await kube::diagnose(client, job);
    error.because("hook " + hook + ": " + diagnosis.sentence());
    for (std::string& line : diagnosis.details) error.because(std::move(line));
    error.hint("correct what the hook " + kube::ref_of(job).to_string() +
               " stumbles over, then "
               "apply again");
    co_return;
  }
}

}  // namespace blackstart::stages::helm
