// From a thing that is not ready down to what holds it up.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/kube/evidence.h"

namespace blackstart::kube {

/// A chain from the outermost object to the innermost cause, one sentence each.
struct Diagnosis {
  std::vector<std::string>
      chain;  // "Deployment argocd/web: 0 of 2 replicas are available", "Pod …"
  std::vector<std::string> details;  // events and last log lines, bounded
  /// "Deployment argocd/web: … → Pod web-1: … → container web: ImagePullBackOff: …"
  std::string sentence() const;
};

/// Walks down what the object owns (Application -> its resources, Deployment -> ReplicaSet, Job …
/// -> Pods, Certificate -> CertificateRequest -> Order -> Challenge) and refers to (references.h)
/// to container states, events and last log lines. Reads only; what cannot be read is left out. At
/// most a handful of objects at each level. Never throws but when cancelled.
Task<Diagnosis> diagnose(Client& client, boost::json::value object);

/// The same from something that was found to be in the way.
Task<Diagnosis> diagnose_suspect(Client& client, Suspect suspect);

}  // namespace blackstart::kube
