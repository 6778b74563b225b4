// Readiness on the real API server: every kind that it serves is known.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <set>

#include "orchestrator/kube/readiness_rules.h"
#include "tests/integration/real_cluster.h"

namespace blackstart::test {
namespace {

using testing::IsEmpty;

std::string group_of(const kube::Resource& resource) {
  return kube::ObjectRef(resource.api_version, "", "", "").group();
}

TEST_F(OnRealCluster, EveryBuiltInKind_HasARuleOrAReasonWhyExistingIsEnough) {
  const kube::Kinds kinds = result(client().kinds());
  auto definitions =
      result(client().list("apiextensions.k8s.io/v1", "CustomResourceDefinition", ""));
  std::set<std::string> custom;  // groups that other tests have brought
  for (const auto& one : definitions->items) custom.insert(kube::text_at(one, {"spec", "group"}));
  std::vector<std::string> unknown;
  size_t known = 0;
  for (const kube::Resource& resource : kinds.resources) {
    const std::string group = group_of(resource);
    if (custom.contains(group)) continue;
    const bool rule = kube::workload_rule(group, resource.kind) != nullptr ||
                      kube::core_rule(group, resource.kind) != nullptr;
    const bool exists = kube::why_existing_is_enough(group, resource.kind) != nullptr;
    EXPECT_FALSE(rule && exists) << group << ' ' << resource.kind << " has both";
    if (!rule && !exists) unknown.push_back(resource.api_version + ' ' + resource.kind);
    ++known;
  }
  EXPECT_THAT(unknown, IsEmpty());
  EXPECT_GT(known, 55u);
}

}  // namespace
}  // namespace blackstart::test
