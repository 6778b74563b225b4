#include "orchestrator/kube/layers.h"

namespace blackstart::kube {

Layer layer_of(const ObjectRef& ref) {
  const std::string group = ref.group();
  if (group.empty() && ref.kind == "Namespace") return Layer::kNamespaces;
  if (group == "apiextensions.k8s.io" && ref.kind == "CustomResourceDefinition")
    return Layer::kDefinitions;
  // Admission refuses a pod for good that names one of these before it is there, and leaves out the
  // defaults of a LimitRange that comes later. All else that a pod needs it waits for.
  const bool needed =
      (group.empty() && (ref.kind == "ServiceAccount" || ref.kind == "LimitRange")) ||
      (group == "scheduling.k8s.io" && ref.kind == "PriorityClass") ||
      (group == "node.k8s.io" && ref.kind == "RuntimeClass");
  if (needed) return Layer::kNeededByPods;
  const bool webhooks =
      group == "admissionregistration.k8s.io" && ref.kind.ends_with("WebhookConfiguration");
  const bool forwards = group == "apiregistration.k8s.io" && ref.kind == "APIService";
  return webhooks || forwards ? Layer::kAdmission : Layer::kOthers;
}

std::vector<std::vector<size_t>> layers_of(const Manifests& manifests) {
  std::vector<std::vector<size_t>> layers(kLayers);
  for (size_t i = 0; i < manifests.size(); ++i) {
    layers[static_cast<size_t>(layer_of(manifests[i].ref()))].push_back(i);
  }
  return layers;
}

}  // namespace blackstart::kube
