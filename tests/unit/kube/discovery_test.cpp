#include "orchestrator/kube/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

std::optional<Resource> find(ScriptedWorld& scripted, const char* api_version, const char* kind) {
  return scripted.result(scripted.client().resource(api_version, kind));
}

TEST(Discovery, FindsKindsWithTwoRequestsAndRemembers) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  EXPECT_EQ(find(scripted, "apps/v1", "Deployment")->plural, "deployments");
  EXPECT_FALSE(find(scripted, "v1", "Namespace")->namespaced);
  EXPECT_EQ(scripted.http.requests.size(), 2u);
}

TEST(Discovery, AsksAgainOnceForAnUnknownKind) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  find(scripted, "v1", "Pod");
  EXPECT_FALSE(find(scripted, "x.io/v1", "Thing"));
  EXPECT_EQ(scripted.http.requests.size(), 4u);
  scripted.serve_discovery({{"x.io/v1", "Thing", "things", true}});
  EXPECT_EQ(find(scripted, "x.io/v1", "Thing")->plural, "things");
  EXPECT_EQ(scripted.http.requests.size(), 6u);
}

TEST(Discovery, AsksAnUnknownKindOnlyOnceWhenItHasJustLooked) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  EXPECT_FALSE(find(scripted, "x.io/v1", "Thing"));
  EXPECT_EQ(scripted.http.requests.size(), 2u);
}

TEST(Discovery, ForgetsWhatItIsToldToForget) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  find(scripted, "v1", "Pod");
  scripted.client().forget_discovery();
  find(scripted, "v1", "Pod");
  EXPECT_EQ(scripted.http.requests.size(), 4u);
}

TEST(Discovery, IsSharedByConcurrentCallers) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  auto ask = [](Client& client) -> Task<void> { co_await client.resource("v1", "Pod"); };
  std::vector<std::function<Task<void>()>> tasks(20, [&] { return ask(scripted.client()); });
  scripted.run(run_all(scripted.world().executor, tasks, 20));
  EXPECT_EQ(scripted.http.requests.size(), 2u);
}

void serve_plain(ScriptedWorld& scripted) {
  scripted.answer("https://api/api",
                  {json_response(200, R"({"kind":"APIVersions","versions":["v1"]})")});
  scripted.answer("https://api/apis", {json_response(200, R"({"kind":"APIGroupList","groups":[
      {"name":"apps","versions":[{"groupVersion":"apps/v1"}]},
      {"name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1"}]}]})")});
  scripted.answer("https://api/api/v1", {json_response(200, R"({"resources":[
      {"name":"pods","kind":"Pod","namespaced":true},{"name":"pods/log","kind":"Pod","namespaced":true}]})")});
  scripted.answer("https://api/apis/apps/v1", {json_response(200, R"({"resources":[
      {"name":"deployments","kind":"Deployment","namespaced":true}]})")});
  scripted.answer("https://api/apis/metrics.k8s.io/v1", {status_response(503, "", "unavailable")});
}

TEST(Discovery, FallsBackToThePlainFormOfOlderServers) {
  ScriptedWorld scripted;
  serve_plain(scripted);
  EXPECT_EQ(find(scripted, "v1", "Pod")->plural, "pods");
  EXPECT_EQ(find(scripted, "apps/v1", "Deployment")->plural, "deployments");
}

TEST(Discovery, OfASilentApiService_IsUnknownAndNotAbsent) {
  ScriptedWorld scripted;
  serve_plain(scripted);
  EXPECT_THROW(find(scripted, "metrics.k8s.io/v1", "NodeMetrics"), Error);
  EXPECT_FALSE(find(scripted, "x.io/v1", "Thing"));

  ScriptedWorld aggregated;
  aggregated.serve_discovery();
  aggregated.answer("https://api/apis",
                    {json_response(200, R"({"kind":"APIGroupDiscoveryList","items":[
      {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1","freshness":"Stale"}]}]})")});
  EXPECT_THROW(find(aggregated, "metrics.k8s.io/v1", "NodeMetrics"), Error);
}

TEST(Discovery, ThatFailedIsTriedByTheNextCaller) {
  ScriptedWorld scripted;
  scripted.answer("https://api/api", {status_response(401, "Unauthorized", "no")});
  EXPECT_THROW(find(scripted, "v1", "Pod"), Error);
  scripted.serve_discovery();
  EXPECT_TRUE(find(scripted, "v1", "Pod"));
}

TEST(PathOf, EncodesNames) {
  const Resource role{"rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false};
  EXPECT_EQ(path_of(role, "ignored", "system:a/b %"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%2Fb%20%25");
  const Resource pod{"v1", "Pod", "pods", true};
  EXPECT_EQ(path_of(pod, "n", "p"), "/api/v1/namespaces/n/pods/p");
  EXPECT_EQ(path_of(pod, "", ""), "/api/v1/pods");
}

}  // namespace
}  // namespace blackstart::kube
