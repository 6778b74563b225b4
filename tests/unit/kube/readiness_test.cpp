#include "orchestrator/kube/readiness.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace blackstart::kube {
namespace {

using State = Readiness::State;

struct Row {
  const char* api_version;
  const char* kind;
  const char* rest;  // metadata, spec and status; kDeployed where a controller has looked at it
  State state;
  const char* reason;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.kind << ' ' << row.rest; }

class Table : public testing::TestWithParam<Row> {};

TEST_P(Table, IsFollowed) {
  const Row& row = GetParam();
  const std::string text = std::string(R"({"apiVersion":")") + row.api_version + R"(","kind":")" +
                           row.kind + '"' + (*row.rest ? std::string(",") + row.rest : "") + "}";
  const Readiness readiness = readiness_of(boost::json::parse(text));
  EXPECT_EQ(readiness.state, row.state) << readiness.reason;
  EXPECT_EQ(readiness.reason, row.reason);
}

constexpr const char* kApps = "apps/v1";

const Row kWorkloads[] = {
    {kApps, "Deployment", R"("spec":{"replicas":2})", State::kProgressing,
     "its controller has not looked at it yet"},
    {kApps, "Deployment",
     R"("metadata":{"generation":3},"spec":{"replicas":2},"status":{"observedGeneration":2,"replicas":2,"updatedReplicas":2,"availableReplicas":2})",
     State::kProgressing, "its controller has not looked at generation 3 yet"},
    {kApps, "Deployment",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":2})",
     State::kReady, "2 of 2 replicas are available"},
    {kApps, "Deployment",
     R"("spec":{},"status":{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"availableReplicas":1})",
     State::kReady, "1 of 1 replica is available"},
    {kApps, "Deployment", R"("spec":{"replicas":0},"status":{"observedGeneration":1})",
     State::kReady, "0 of 0 replicas are available"},
    {kApps, "Deployment",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":1,"availableReplicas":2})",
     State::kProgressing, "1 of 2 replicas are updated"},
    {kApps, "Deployment",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":3,"updatedReplicas":2,"availableReplicas":2})",
     State::kProgressing, "1 old replica not gone yet"},
    {kApps, "Deployment",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":1})",
     State::kProgressing, "1 of 2 replicas are available"},
    {kApps, "Deployment",
     R"("spec":{"replicas":1},"status":{"observedGeneration":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"ReplicaSet \"w-1\" has timed out progressing."}]})",
     State::kFailed, "ReplicaSet \"w-1\" has timed out progressing."},
    {kApps, "Deployment",
     R"("spec":{"replicas":1},"status":{"observedGeneration":1,"conditions":[{"type":"ReplicaFailure","status":"True","message":"exceeded quota"}]})",
     State::kProgressing, "0 of 1 replica is updated: exceeded quota"},
    {kApps, "Deployment",
     R"("spec":{"replicas":1,"paused":true},"status":{"observedGeneration":1})",
     State::kProgressing, "its rollout is paused"},
    {kApps, "StatefulSet",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"readyReplicas":2,"updatedReplicas":2,"currentRevision":"r","updateRevision":"r"})",
     State::kReady, "2 of 2 replicas are ready"},
    {kApps, "StatefulSet",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"readyReplicas":1})",
     State::kProgressing, "1 of 2 replicas are ready"},
    {kApps, "StatefulSet",
     R"("spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"readyReplicas":2,"updatedReplicas":1,"currentRevision":"r","updateRevision":"s"})",
     State::kProgressing, "1 of 2 replicas are updated"},
    {kApps, "StatefulSet",
     R"("spec":{"replicas":2,"updateStrategy":{"rollingUpdate":{"partition":1}}},"status":{"observedGeneration":1,"replicas":2,"readyReplicas":2,"updatedReplicas":1,"currentRevision":"r","updateRevision":"s"})",
     State::kReady, "2 of 2 replicas are ready"},
    {kApps, "StatefulSet",
     R"("spec":{"replicas":1,"updateStrategy":{"type":"OnDelete"}},"status":{"observedGeneration":1,"readyReplicas":1,"currentRevision":"r","updateRevision":"s"})",
     State::kReady, "1 of 1 replica is ready (updated only when deleted)"},
    {kApps, "DaemonSet",
     R"("status":{"observedGeneration":1,"desiredNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":3})",
     State::kReady, "3 of 3 pods are available"},
    {kApps, "DaemonSet",
     R"("status":{"observedGeneration":1,"desiredNumberScheduled":3,"updatedNumberScheduled":1,"numberAvailable":3})",
     State::kProgressing, "1 of 3 pods are updated"},
    {kApps, "DaemonSet",
     R"("status":{"observedGeneration":1,"desiredNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":2})",
     State::kProgressing, "2 of 3 pods are available"},
    {kApps, "DaemonSet", R"("status":{"observedGeneration":1,"desiredNumberScheduled":0})",
     State::kReady, "0 of 0 pods are available"},
    {kApps, "ReplicaSet",
     R"("spec":{"replicas":1},"status":{"observedGeneration":1,"replicas":1,"availableReplicas":1})",
     State::kReady, "1 of 1 replica is available"},
    {kApps, "ReplicaSet", R"("spec":{"replicas":0},"status":{"observedGeneration":1,"replicas":1})",
     State::kProgressing, "replicas that are too many are not gone yet"},
    {"batch/v1", "Job", R"("status":{"conditions":[{"type":"Complete","status":"True"}]})",
     State::kReady, "it is complete"},
    {"batch/v1", "Job",
     R"("status":{"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"Job has reached the specified backoff limit"}]})",
     State::kFailed, "it failed: Job has reached the specified backoff limit"},
    {"batch/v1", "Job", R"("spec":{"completions":3},"status":{"succeeded":1,"failed":2})",
     State::kProgressing, "1 of 3 completions, 2 failed pods"},
    {"batch/v1", "Job", R"("spec":{"suspend":true})", State::kProgressing, "it is suspended"},
    {"batch/v1", "CronJob", "", State::kReady, "it is scheduled"},
    {"v1", "Pod", R"("status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]})",
     State::kReady, "it is ready"},
    {"v1", "Pod", R"("status":{"phase":"Succeeded"})", State::kReady, "it has succeeded"},
    {"v1", "Pod", R"("status":{"phase":"Failed","reason":"Evicted","message":"low on memory"})",
     State::kFailed, "it has failed: low on memory"},
    {"v1", "Pod",
     R"("status":{"phase":"Failed","containerStatuses":[{"name":"m","state":{"terminated":{"exitCode":3,"reason":"Error"}}}]})",
     State::kFailed, "it has failed: container m: exited with code 3: Error"},
    {"v1", "Pod", "", State::kProgressing, "it is Pending"},
    {"v1", "Pod",
     R"("status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/2 nodes are available"}]})",
     State::kProgressing, "it cannot be scheduled: 0/2 nodes are available"},
    {"v1", "Pod",
     R"("status":{"phase":"Pending","containerStatuses":[{"name":"m","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"x\""}}}]})",
     State::kProgressing, "container m: ImagePullBackOff: Back-off pulling image \"x\""},
    {"v1", "Pod",
     R"("status":{"phase":"Running","containerStatuses":[{"name":"m","state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"signal":9,"reason":"OOMKilled"}}}]})",
     State::kProgressing,
     "container m: CrashLoopBackOff; it exited with code 137 (signal 9): OOMKilled"},
    {"v1", "Pod",
     R"("status":{"phase":"Pending","containerStatuses":[{"name":"m","state":{"waiting":{"reason":"ContainerCreating"}}}]})",
     State::kProgressing, "it is Pending"},
    {"v1", "Pod",
     R"("status":{"phase":"Pending","initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":0}}}],"containerStatuses":[{"name":"m","ready":false,"state":{"running":{}}}]})",
     State::kProgressing, "container m: running but not ready"},
};
INSTANTIATE_TEST_SUITE_P(Workloads, Table, testing::ValuesIn(kWorkloads));

const Row kCore[] = {
    {"v1", "Namespace", R"("status":{"phase":"Active"})", State::kReady, "it is active"},
    {"v1", "Namespace", R"("status":{"phase":"Terminating"})", State::kProgressing,
     "it is being deleted"},
    {"v1", "ConfigMap", R"("metadata":{"deletionTimestamp":"2026"})", State::kProgressing,
     "it is being deleted"},
    {"v1", "ConfigMap", "", State::kReady, "it exists"},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition", "", State::kProgressing,
     "it is not Established yet"},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition",
     R"("status":{"conditions":[{"type":"Established","status":"True"}]})", State::kReady,
     "it is Established"},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition",
     R"("status":{"conditions":[{"type":"NamesAccepted","status":"False","message":"\"things\" is already in use"}]})",
     State::kFailed, "its names are not accepted: \"things\" is already in use"},
    {"apiregistration.k8s.io/v1", "APIService",
     R"("status":{"conditions":[{"type":"Available","status":"False","reason":"MissingEndpoints","message":"no endpoints"}]})",
     State::kProgressing, "it is not Available: no endpoints"},
    {"apiregistration.k8s.io/v1", "APIService",
     R"("status":{"conditions":[{"type":"Available","status":"True"}]})", State::kReady,
     "it is Available"},
    {"v1", "Service", "", State::kReady, "it exists"},
    {"v1", "Service", R"("spec":{"type":"LoadBalancer"})", State::kProgressing,
     "its load balancer has no address yet"},
    {"v1", "Service",
     R"("spec":{"type":"LoadBalancer"},"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"}]}})",
     State::kReady, "its load balancer has an address"},
    {"v1", "PersistentVolumeClaim", R"("status":{"phase":"Bound"})", State::kReady, "it is Bound"},
    {"v1", "PersistentVolumeClaim", "", State::kProgressing, "it is Pending"},
    {"v1", "PersistentVolumeClaim", R"("status":{"phase":"Lost"})", State::kFailed,
     "its PersistentVolume is gone"},
    {"v1", "Node",
     R"("status":{"conditions":[{"type":"Ready","status":"False","message":"cni not ready"}]})",
     State::kProgressing, "it is not Ready: cni not ready"},
    {"v1", "Node", R"("status":{"conditions":[{"type":"Ready","status":"True"}]})", State::kReady,
     "it is Ready"},
};
INSTANTIATE_TEST_SUITE_P(Core, Table, testing::ValuesIn(kCore));

const Row kOthers[] = {
    {"cert-manager.io/v1", "Certificate", "", State::kReady, "it exists"},
    {"cert-manager.io/v1", "Certificate",
     R"("status":{"conditions":[{"type":"Ready","status":"False","reason":"DoesNotExist","message":"Issuing"}]})",
     State::kProgressing, "Ready is False: Issuing"},
    {"cert-manager.io/v1", "Certificate",
     R"("metadata":{"generation":2},"status":{"conditions":[{"type":"Ready","status":"True","observedGeneration":1}]})",
     State::kProgressing, "its controller has not looked at generation 2 yet"},
    {"cert-manager.io/v1", "Certificate",
     R"("metadata":{"generation":2},"status":{"conditions":[{"type":"Issuing","status":"False","observedGeneration":1},{"type":"Ready","status":"True","observedGeneration":2}]})",
     State::kReady, "it is Ready"},
    {"gateway.networking.k8s.io/v1", "Gateway",
     R"("metadata":{"generation":1},"status":{"conditions":[{"type":"Accepted","status":"True","observedGeneration":1},{"type":"Programmed","status":"False","reason":"AddressNotAssigned","observedGeneration":1}]})",
     State::kProgressing, "Programmed is False: AddressNotAssigned"},
    {"gateway.networking.k8s.io/v1", "Gateway",
     R"("metadata":{"generation":2},"status":{"conditions":[{"type":"Accepted","status":"True","observedGeneration":2},{"type":"Programmed","status":"True","observedGeneration":1}]})",
     State::kProgressing, "its controller has not looked at generation 2 yet"},
    {"gateway.networking.k8s.io/v1", "Gateway",
     R"("metadata":{"generation":2},"status":{"conditions":[{"type":"Accepted","status":"True","observedGeneration":2},{"type":"Programmed","status":"True","observedGeneration":2}]})",
     State::kReady, "it is Accepted and Programmed"},
    {"x.io/v1", "Thing",
     R"("metadata":{"generation":2},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"True"}]})",
     State::kProgressing, "its controller has not looked at generation 2 yet"},
    {"cert-manager.io/v1", "Certificate",
     R"("status":{"conditions":[{"type":"Ready","status":"True"}]})", State::kReady, "it is Ready"},
    {"x.io/v1", "Thing",
     R"("status":{"conditions":[{"type":"Stalled","status":"True","message":"no way"}]})",
     State::kFailed, "no way"},
    {"x.io/v1", "Thing",
     R"("status":{"conditions":[{"type":"Reconciling","status":"True","reason":"Busy"}]})",
     State::kProgressing, "Busy"},
    {"x.io/v1", "Deployment", "", State::kReady, "it exists"},  // another group's kind of that name
};
INSTANTIATE_TEST_SUITE_P(Others, Table, testing::ValuesIn(kOthers));

constexpr const char* kArgo = "argoproj.io/v1alpha1";
const Row kArgoCd[] = {
    {kArgo, "AppProject", "", State::kReady, "it exists"},
    {kArgo, "Application", "", State::kProgressing, "Argo CD has not compared it yet"},
    {kArgo, "Application",
     R"("status":{"sync":{"status":"Synced"},"health":{"status":"Healthy"},"operationState":{"phase":"Succeeded"}})",
     State::kReady, "it is Synced and Healthy"},
    {kArgo, "Application",
     R"("spec":{"source":{"path":"a"}},"status":{"sync":{"status":"Synced","comparedTo":{"source":{"path":"a"}}},"health":{"status":"Healthy"}})",
     State::kReady, "it is Synced and Healthy"},
    {kArgo, "Application",
     R"("spec":{"source":{"path":"b"}},"status":{"sync":{"status":"Synced","comparedTo":{"source":{"path":"a"}}},"health":{"status":"Healthy"}})",
     State::kProgressing, "it has changed, and Argo CD has not compared it yet"},
    {kArgo, "Application",
     R"("spec":{"source":{"path":"b"}},"status":{"sync":{"status":"OutOfSync","comparedTo":{"source":{"path":"a"}}},"operationState":{"phase":"Failed"}})",
     State::kProgressing, "it has changed, and Argo CD has not compared it yet"},
    {kArgo, "Application",
     R"("status":{"sync":{"status":"Synced"},"health":{"status":"Healthy"},"operationState":{"phase":"Running","message":"waiting for hook"}})",
     State::kProgressing, "its last operation is Running: waiting for hook"},
    {kArgo, "Application",
     R"("status":{"sync":{"status":"Synced"},"health":{"status":"Degraded","message":"pod crashed"}})",
     State::kProgressing, "its health is Degraded: pod crashed"},
    {kArgo, "Application",
     R"("spec":{"syncPolicy":{"automated":{}}},"status":{"sync":{"status":"OutOfSync"}})",
     State::kProgressing, "its sync status is OutOfSync"},
    {kArgo, "Application", R"("status":{"sync":{"status":"OutOfSync"}})", State::kProgressing,
     "it is OutOfSync and has no automated sync"},
    {kArgo, "Application",
     R"("status":{"sync":{"status":"OutOfSync"},"operationState":{"phase":"Failed","message":"one or more objects failed to apply"}})",
     State::kFailed, "its last operation is Failed: one or more objects failed to apply"},
    {kArgo, "Application",
     R"("status":{"operationState":{"phase":"Failed","retryCount":2,"operation":{"retry":{"limit":5}}}})",
     State::kProgressing, "its last operation is Failed"},
    {kArgo, "Application",
     R"("status":{"operationState":{"phase":"Error","retryCount":5,"operation":{"retry":{"limit":5}}}})",
     State::kFailed, "its last operation is Error"},
    {kArgo, "Application",
     R"("status":{"operationState":{"phase":"Failed","retryCount":99,"operation":{"retry":{"limit":-1}}}})",
     State::kProgressing, "its last operation is Failed"},
    {kArgo, "Application",
     R"("operation":{"sync":{}},"status":{"sync":{"status":"Synced"},"health":{"status":"Healthy"}})",
     State::kProgressing, "an operation is about to start"},
    {kArgo, "Application",
     R"("status":{"conditions":[{"type":"InvalidSpecError","message":"project x does not exist"}]})",
     State::kFailed, "InvalidSpecError: project x does not exist"},
    {kArgo, "Application",
     R"("status":{"conditions":[{"type":"ComparisonError","message":"app path does not exist"}]})",
     State::kFailed, "ComparisonError: app path does not exist"},
    {kArgo, "Application",
     R"("status":{"conditions":[{"type":"ComparisonError","message":"dial tcp: connect: connection refused"}]})",
     State::kProgressing, "ComparisonError: dial tcp: connect: connection refused"},
    {kArgo, "ApplicationSet",
     R"("status":{"conditions":[{"type":"ErrorOccurred","status":"True","reason":"ApplicationGenerationFromParamsError","message":"bad template"}]})",
     State::kFailed, "ApplicationGenerationFromParamsError: bad template"},
    {kArgo, "ApplicationSet",
     R"("status":{"conditions":[{"type":"ErrorOccurred","status":"False"},{"type":"ResourcesUpToDate","status":"True"}]})",
     State::kReady, "its Applications are up to date"},
    {kArgo, "ApplicationSet", "", State::kProgressing, "its controller has not looked at it yet"},
};
INSTANTIATE_TEST_SUITE_P(ArgoCd, Table, testing::ValuesIn(kArgoCd));

}  // namespace
}  // namespace blackstart::kube
