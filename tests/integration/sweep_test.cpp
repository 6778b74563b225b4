// Killed at any point, the same command converges: the plans that are swept.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/integration/layered_plan.h"
#include "tests/integration/sweep.h"

namespace blackstart::test {
namespace {

TEST(Sweep, OfTheStarterPlan_Converges) {
  for (const char* tool : {"kwokctl", "helm", "argocd", "kustomize", "redis-server"}) {
    if (access(part(tool).c_str(), X_OK) != 0)
      GTEST_SKIP() << "NOT RUN: " << tool << " is not there";
  }
  sweep({.name = "starter plan",
         .objects =
             "namespaces,nodes,customresourcedefinitions,configmaps,services,serviceaccounts,"
             "deployments,statefulsets,roles,rolebindings,clusterroles,clusterrolebindings,"
             "networkpolicies,appprojects,applications",
         .least_objects = 51,
         .lay_out = [](Rehearsal& rehearsal, size_t) { rehearsal.init(); },
         .destroyed =
             [](const Rehearsal& rehearsal) { EXPECT_TRUE(rehearsal.processes().empty()); }});
}

// Every object is a request, and before and after each the program may die. The clusters stay: the
// program takes away what it has made, all of it.
TEST(Sweep, OfTwoHundredObjectsInSixLayers_Converges) {
  NEEDS_PART("kwokctl");
  std::vector<Rehearsal> clusters(kSweepsAtOnce);
  for (Rehearsal& cluster : clusters) {
    cluster.write("plan.yaml", plan_with_cluster(""));
    const Ran made = cluster.blackstart({"apply"});
    ASSERT_EQ(made.code, 0) << made.all();
  }
  sweep({.name = "200 objects in six layers",
         .objects = kLayeredObjects,
         .least_objects = 202,
         .lay_out =
             [&clusters](Rehearsal& rehearsal, size_t worker) {
               write_layered_plan(rehearsal, clusters[worker].kubeconfig());
             },
         .destroyed =
             [](const Rehearsal& rehearsal) {
               const Ran left = rehearsal.kubectl({"get", "namespaces,customresourcedefinitions",
                                                   "-l", kLayeredLabel, "-o", "name"});
               EXPECT_EQ(left.out, "") << left.err;
             }});
}

}  // namespace
}  // namespace blackstart::test
