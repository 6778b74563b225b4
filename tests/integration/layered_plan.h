// A plan with 200 objects in six layers, each of which needs the one before it.
#pragma once

#include <string>

#include "tests/integration/support/program.h"

namespace blackstart::test {

/// On every object of the plan.
inline constexpr const char* kLayeredLabel = "app.kubernetes.io/part-of=layers";
/// All of them, as `kubectl get` takes them.
inline constexpr const char* kLayeredObjects =
    "namespaces,customresourcedefinitions,serviceaccounts,roles,rolebindings,configmaps,secrets,"
    "services,deployments,shops.layers.blackstart.dev,shelves.layers.blackstart.dev "
    "-l app.kubernetes.io/part-of=layers";

/// Namespaces; definitions; access; settings; workloads; custom resources. It works on the cluster
/// of `kubeconfig`.
void write_layered_plan(Rehearsal& rehearsal, const std::string& kubeconfig);

}  // namespace blackstart::test
