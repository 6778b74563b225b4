// Volumes: claims, what they are bound to, and the classes that say when.
#include <algorithm>

#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

// Set by the scheduler once a pod that uses the claim has a node: from then on it is worked on.
constexpr const char* kSelectedNode = "volume.kubernetes.io/selected-node";

}  // namespace

Readiness volume_claim(const json::value& object) {
  const std::string phase = text_at(object, {"status", "phase"}, "Pending");
  if (phase == "Bound") return ready("it is Bound");
  if (phase == "Lost") return failed("its PersistentVolume is gone");
  return progressing("it is " + phase);
}

Readiness volume(const json::value& object) {
  const std::string phase = text_at(object, {"status", "phase"}, "Pending");
  if (phase == "Failed")
    return failed(text_at(object, {"status", "message"}, "its reclamation failed"));
  if (phase == "Pending") return progressing("it is Pending");
  return ready("it is " + phase);
}

Readiness volume_attachment(const json::value& object) {
  if (flag_at(object, {"status", "attached"})) return ready("it is attached");
  const std::string error = text_at(object, {"status", "attachError", "message"});
  return error.empty() ? progressing("it is not attached yet") : stalled(error);
}

bool is_pending_claim(const json::value& object) {
  return text_at(object, {"kind"}) == "PersistentVolumeClaim" &&
         text_at(object, {"apiVersion"}) == "v1" &&
         text_at(object, {"status", "phase"}, "Pending") == "Pending";
}

// kstatus takes any claim that is not Bound for in progress. One that is bound by its first
// consumer would hold up the stage that brings it, and with it the one that brings the consumer.
std::optional<Readiness> claim_within(const json::value& object, const Surroundings& around) {
  if (!is_pending_claim(object)) return std::nullopt;
  const std::string name = text_at(object, {"spec", "storageClassName"});
  const auto found = std::ranges::find_if(around.storage_classes, [&name](const json::value& one) {
    return text_at(one, {"metadata", "name"}) == name;
  });
  if (found == around.storage_classes.end()) return std::nullopt;
  const bool chosen = find(object, {"metadata", "annotations", kSelectedNode}) != nullptr;
  if (text_at(*found, {"volumeBindingMode"}) == "WaitForFirstConsumer" && !chosen)
    return ready("it is bound once a pod uses it (WaitForFirstConsumer)");
  return progressing("it is Pending: provisioner " + text_at(*found, {"provisioner"}) +
                     " of StorageClass " + name + " has not made a volume yet");
}

}  // namespace blackstart::kube
