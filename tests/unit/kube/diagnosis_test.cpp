#include "orchestrator/kube/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kDeployment =
    R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web",
  "namespace":"a","uid":"d"},"spec":{"replicas":1},"status":{"observedGeneration":1,"replicas":1,"updatedReplicas":1}})";

HttpResponse list_of(const std::string& kind, const std::string& api_version,
                     const std::string& items) {
  return json_response(200, R"({"kind":")" + kind + R"(List","apiVersion":")" + api_version +
                                R"(","metadata":{"resourceVersion":"1"},"items":[)" + items + "]}");
}

std::string owned(const std::string& name, const std::string& owner, const std::string& rest) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"a","uid":"uid-)" + name +
         R"(","ownerReferences":[{"uid":")" + owner + "\"}]}," + rest + "}";
}

Diagnosis diagnosed(ScriptedWorld& scripted, const char* object) {
  return scripted.result(diagnose(scripted.client(), boost::json::parse(object)));
}

class DiagnosisTest : public testing::Test {
 protected:
  DiagnosisTest() {
    scripted.serve_discovery({{"argoproj.io/v1alpha1", "Application", "applications", true},
                              {"v1", "PersistentVolumeClaim", "persistentvolumeclaims", true},
                              {"storage.k8s.io/v1", "StorageClass", "storageclasses", false}});
    scripted.answer("/events?", {list_of("Event", "v1", "")});
    scripted.answer(
        "/replicasets?",
        {list_of(
            "ReplicaSet", "apps/v1",
            owned("web-0", "d", R"("spec":{"replicas":0},"status":{"observedGeneration":1})") +
                "," +
                owned("web-1", "d", R"("spec":{"replicas":1},"status":{"observedGeneration":1})") +
                "," +
                owned("alien-1", "x",
                      R"("spec":{"replicas":1},"status":{"observedGeneration":1})"))});
    scripted.answer("/pods?", {list_of("Pod", "v1",
                                       owned("web-1-z", "uid-web-1", R"("status":{"phase":"Running",
        "containerStatuses":[{"name":"main","state":{"waiting":{"reason":"CrashLoopBackOff"}},
        "lastState":{"terminated":{"exitCode":1,"reason":"Error"}}}]})"))});
  }
  ScriptedWorld scripted;
};

TEST_F(DiagnosisTest, GoesFromDeploymentToContainerAndItsLastWords) {
  scripted.answer("/pods/web-1-z/log", {json_response(200, "starting\ncannot bind port 80\n")});
  const Diagnosis found = diagnosed(scripted, kDeployment);
  EXPECT_EQ(found.sentence(),
            "Deployment a/web: 0 of 1 replica is available → ReplicaSet a/web-1: 0 of 1 replica "
            "is available → "
            "Pod a/web-1-z: container main: CrashLoopBackOff; it exited with code 1: Error → "
            "its log ends: cannot bind port 80");
  EXPECT_THAT(found.details, ElementsAre("log of web-1-z/main: starting",
                                         "log of web-1-z/main: cannot bind port 80"));
  EXPECT_EQ(scripted.http.count("previous=true"), 1u);
}

TEST_F(DiagnosisTest, LeavesOutALogThatCannotBeRead) {
  scripted.answer("/pods/web-1-z/log",
                  {status_response(500, "InternalError", "dial tcp: no kubelet")});
  const Diagnosis found = diagnosed(scripted, kDeployment);
  EXPECT_EQ(found.chain.size(), 3u);
  EXPECT_THAT(found.details, IsEmpty());
}

TEST_F(DiagnosisTest, TellsTheEventWhenNothingIsBelow) {
  scripted.answer("/pods?", {list_of("Pod", "v1", "")});
  scripted.answer(
      "uid-web-1",
      {list_of(
          "Event", "v1",
          R"({"reason":"FailedCreate","message":"exceeded quota: q","lastTimestamp":"2026-01-01T00:00:02Z"},
         {"reason":"Older","message":"first","lastTimestamp":"2026-01-01T00:00:01Z"})")});
  const Diagnosis found = diagnosed(scripted, kDeployment);
  EXPECT_EQ(found.chain.back(),
            "ReplicaSet a/web-1: 0 of 1 replica is available (FailedCreate: exceeded quota: q)");
  EXPECT_THAT(found.details,
              ElementsAre("event of ReplicaSet a/web-1: Older: first",
                          "event of ReplicaSet a/web-1: FailedCreate: exceeded quota: q"));
}

TEST_F(DiagnosisTest, OfAnUnreadableClusterIsAsFarAsItCouldBeRead) {
  scripted.answer("/replicasets?", {status_response(403, "Forbidden", "User \"u\" cannot list")});
  EXPECT_THAT(diagnosed(scripted, kDeployment).chain,
              ElementsAre("Deployment a/web: 0 of 1 replica is available"));
}

constexpr const char* kApplication = R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Application",
  "metadata":{"name":"root","namespace":"argocd","uid":"r"},"status":{"sync":{"status":"Synced"},
  "health":{"status":"Degraded"},"operationState":{"phase":"Succeeded"},
  "resources":[{"version":"v1","kind":"Service","namespace":"a","name":"ok","status":"Synced","health":{"status":"Healthy"}},
    {"version":"v1","kind":"ConfigMap","namespace":"a","name":"drifted","status":"OutOfSync"},
    {"group":"apps","version":"v1","kind":"Deployment","namespace":"a","name":"web","status":"Synced",
     "health":{"status":"Degraded","message":"no pods"}}]}})";

TEST_F(DiagnosisTest, GoesFromApplicationToItsUnhealthyResource) {
  scripted.answer("/deployments/web", {json_response(200, kDeployment)});
  const Diagnosis found = diagnosed(scripted, kApplication);
  ASSERT_EQ(found.chain.size(), 4u);
  EXPECT_EQ(found.chain[0], "Application argocd/root: its health is Degraded");
  EXPECT_THAT(found.chain[1], HasSubstr("Deployment a/web"));
  EXPECT_THAT(found.chain[3], HasSubstr("CrashLoopBackOff"));
  EXPECT_THAT(found.details, Contains("ConfigMap a/drifted: OutOfSync"));
}

TEST_F(DiagnosisTest, TellsWhatASyncWasRefused) {
  const Diagnosis found =
      diagnosed(scripted, R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Application",
    "metadata":{"name":"root","namespace":"argocd","uid":"r"},"status":{"operationState":{"phase":"Failed",
    "message":"one or more objects failed to apply","syncResult":{"resources":[
      {"version":"v1","kind":"Service","namespace":"a","name":"s","status":"SyncFailed","message":"port is invalid"}]}}}})");
  EXPECT_EQ(found.sentence(),
            "Application argocd/root: its last operation is Failed: one or more objects failed to "
            "apply → Service a/s: port is invalid");
}

TEST(Diagnosis, SaysOnceWhatControllersRepeat) {
  Diagnosis diagnosis;
  diagnosis.chain = {"Deployment a/web: 0 of 1 replica is updated: exceeded quota: q",
                     "ReplicaSet a/web-1: 0 of 1 replica is available: exceeded quota: q"};
  EXPECT_EQ(diagnosis.sentence(),
            "Deployment a/web: 0 of 1 replica is updated → ReplicaSet a/web-1: 0 of 1 replica is "
            "available: exceeded quota: q");
}

constexpr const char* kWaitingPod = R"({"apiVersion":"v1","kind":"Pod",
  "metadata":{"name":"p","namespace":"a","uid":"uid-p"},
  "spec":{"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}}]},
  "status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",
    "message":"pod has unbound immediate PersistentVolumeClaims"}]}})";

TEST_F(DiagnosisTest, GoesFromPodToItsClaimAndTheClassThatIsMissing) {
  scripted.answer("/persistentvolumeclaims/data", {json_response(200, R"({"apiVersion":"v1",
    "kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"a","uid":"uid-data"},
    "spec":{"storageClassName":"nowhere"},"status":{"phase":"Pending"}})")});
  scripted.answer("/storageclasses", {list_of("StorageClass", "storage.k8s.io/v1", "")});
  scripted.answer("/storageclasses/nowhere", {status_response(404, "NotFound", "not found")});
  EXPECT_EQ(
      diagnosed(scripted, kWaitingPod).sentence(),
      "Pod a/p: it cannot be scheduled: pod has unbound immediate PersistentVolumeClaims → "
      "PersistentVolumeClaim a/data: it is Pending → StorageClass nowhere: it does not exist");
}

}  // namespace
}  // namespace blackstart::kube
