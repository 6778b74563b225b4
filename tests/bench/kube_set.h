// Sets of objects for the benchmarks: as a folder of manifests, and as the requests that apply
// them.
#pragma once

#include <cstddef>
#include <string>

#include "tests/integration/support/shell.h"

namespace blackstart::test {

/// A set in a namespace of its own.
struct KubeSet {
  std::string name_space;
  std::string manifests;  // folder with YAML files
  std::string plan;       // applies them, and nothing else
  std::string requests;   // file for raw_patch
};

/// Written into `folder`: `count` ConfigMaps of half a KiB.
KubeSet config_maps(const TemporaryFolder& folder, const std::string& kubeconfig,
                    const std::string& name_space, size_t count);
/// `count` objects of ten kinds in equal parts; none of them starts a pod.
KubeSet mixed_set(const TemporaryFolder& folder, const std::string& kubeconfig,
                  const std::string& name_space, size_t count);

}  // namespace blackstart::test
