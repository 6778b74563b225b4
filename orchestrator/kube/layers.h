// In which order the objects of a set come and go.
#pragma once

#include <cstddef>
#include <vector>

#include "orchestrator/kube/object.h"

namespace blackstart::kube {

enum class Layer { kNamespaces, kDefinitions, kNeededByPods, kOthers, kAdmission };
inline constexpr size_t kLayers = 5;

Layer layer_of(const ObjectRef& ref);
/// Indices into `manifests`, by layer.
std::vector<std::vector<size_t>> layers_of(const Manifests& manifests);

}  // namespace blackstart::kube
