// Why an Application is not well: from it down to the resource that holds it up, and its pod.
#pragma once

#include "orchestrator/kube/diagnosis.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

/// Looks into what the verdict suspects, else into the Application's workloads, as far as to the
/// first that is not ready or is suspended. An empty chain: nothing was found. Reads only; what
/// cannot be read is left out. Never throws but when cancelled.
Task<kube::Diagnosis> explain(kube::Client& client, boost::json::value application,
                              Verdict verdict);

}  // namespace blackstart::stages::argocd
