// What goes wrong on the way up, each on the real API server, and the words that a user reads:
// docs/failures.md has the table. Pods play their states (real_cluster.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/integration/real_cluster.h"

namespace blackstart::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// `text` with every line indented.
std::string indented(const std::string& text, size_t columns) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) result += std::string(columns, ' ') + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return result;
}

std::string deployment(const std::string& played, const std::string& spec = "") {
  return R"(- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    selector: {matchLabels: {app: web}}
    template:
      metadata:
        labels: {app: web}
        annotations: {played: ')" +
         played + R"('}
      spec: {containers: [{name: main, image: nginx}])" +
         (spec.empty() ? "" : ", ") + spec + "}\n";
}

/// A CustomResourceDefinition without status subresource: its objects are given with their status.
std::string definition(const std::string& group, const std::string& version,
                       const std::string& kind, const std::string& plural) {
  return "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: " +
         plural + "." + group + "}, spec: {group: " + group +
         ", scope: Namespaced, names: {kind: " + kind + ", plural: " + plural +
         "}, versions: [{name: " + version +
         ", served: true, storage: true, schema: {openAPIV3Schema: {type: object, "
         "x-kubernetes-preserve-unknown-fields: true}}}]}}";
}

class Failures : public testing::Test {
 protected:
  void SetUp() override {
    RealCluster& cluster = RealCluster::get();
    if (!cluster.usable()) {
      if (cluster.failure().starts_with("NOT RUN")) GTEST_SKIP() << cluster.failure();
      FAIL() << cluster.failure();
    }
    static int count = 0;
    name_space_ = "fails-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    put("{apiVersion: v1, kind: Node, metadata: {name: played, annotations: "
        "{kwok.x-k8s.io/node: fake}}}");
    put("{apiVersion: v1, kind: Namespace, metadata: {name: " + name_space_ + "}}");
    ASSERT_TRUE(eventually([&] { return takes_pods(); }, std::chrono::seconds(30)));
  }

  bool takes_pods() {
    Ran node =
        kubectl({"get", "node", "played", "-o", "jsonpath={.status.conditions}{.spec.taints}"});
    return node.out.find("KubeletReady") != std::string::npos &&
           node.out.find("NoSchedule") == std::string::npos &&
           kubectl({"get", "serviceaccount", "default", "-n", name_space_}).code == 0;
  }
  void put(const std::string& object) {
    Ran ran = RealCluster::get().kubectl({"apply", "--server-side", "-f", "-"}, object);
    ASSERT_EQ(ran.code, 0) << ran.all();
  }
  Ran kubectl(std::vector<std::string> args) { return RealCluster::get().kubectl(std::move(args)); }

  /// A plan whose one stage puts `objects` (a YAML list) into the test's namespace.
  void plan(const std::string& objects, const std::string& timeout,
            const std::string& options = "") {
    plan_of(indented(options, 8) + "        inline:\n" + indented(objects, 10), timeout);
  }
  /// The same with what `with` says.
  void plan_of(const std::string& with, const std::string& timeout) {
    rehearsal_.write("plan.yaml", R"(apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: failures}
spec:
  cluster: {kubeconfig: )" + RealCluster::get().kubeconfig() +
                                      R"(}
  stages:
    - name: things
      uses: kube.manifests
      timeout: )" + timeout + R"(
      with:
        namespace: )" + name_space_ + "\n" +
                                      with);
  }
  Ran apply_path(const std::string& file) {
    plan_of("        path: " + file + "\n", "60s");
    return rehearsal_.blackstart({"apply"});
  }
  Ran apply(const std::string& objects, const std::string& timeout = "9s",
            const std::string& options = "") {
    plan(objects, timeout, options);
    return rehearsal_.blackstart({"apply"});
  }

  Rehearsal& rehearsal() { return rehearsal_; }
  const std::string& name_space() const { return name_space_; }

 private:
  Rehearsal rehearsal_;
  std::string name_space_;
};

/// A pod's status in which its one container is `state`, and was before.
std::string played(const std::string& phase, const std::string& state,
                   const std::string& before = "{}") {
  return R"({"podIP":"10.0.0.9","phase":")" + phase +
         R"(","containerStatuses":[{"name":"main","image":"nginx","imageID":"","ready":false,)" +
         R"("restartCount":3,"state":)" + state + R"(,"lastState":)" + before + "}]}";
}

TEST_F(Failures, AnImageThatCannotBePulled) {
  Ran ran = apply(deployment(played("Pending", R"({"waiting":{"reason":"ImagePullBackOff",)"
                                               R"("message":"Back-off pulling image nginx"}})")));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("container main: ImagePullBackOff: Back-off pulling image nginx"));
}

TEST_F(Failures, ACrashLoop) {
  Ran ran = apply(deployment(played(
      "Running", R"({"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s"}})",
      R"({"terminated":{"exitCode":1,"reason":"Error","startedAt":null,"finishedAt":null}})")));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("container main: CrashLoopBackOff: back-off 40s; it exited with "
                                 "code 1: Error"));
}

TEST_F(Failures, AReadinessProbeThatFails) {
  Ran ran = apply(deployment(played("Running", R"({"running":{"startedAt":null}})")));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("container main: running but not ready"));
}

TEST_F(Failures, APodWithoutANode) {
  Ran ran = apply(deployment("", "nodeSelector: {no: where}"));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("it cannot be scheduled: 0/"));
}

TEST_F(Failures, AClaimOfAClassThatIsMissing_IsNamedBelowThePod) {
  Ran ran = apply(deployment("", "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]") +
                  R"(- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: data}
  spec: {storageClassName: nowhere, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
)");
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("PersistentVolumeClaim " + name_space() + "/data: it is Pending"));
  EXPECT_THAT(ran.err, HasSubstr("→ StorageClass nowhere: it does not exist"));
}

TEST_F(Failures, AConfigMapThatIsMissing_IsNamedBelowThePod) {
  Ran ran =
      apply(deployment(played("Pending", R"({"waiting":{"reason":"CreateContainerConfigError",)"
                                         R"("message":"configmap \"settings\" not found"}})"),
                       "volumes: [{name: s, configMap: {name: settings}}]"));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("container main: CreateContainerConfigError"));
  EXPECT_THAT(ran.err, HasSubstr("→ ConfigMap " + name_space() + "/settings: it does not exist"));
}

TEST_F(Failures, AClaimThatItsFirstConsumerBinds_IsNone) {
  put("{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: " + name_space() +
      "}, provisioner: disk.example.com, volumeBindingMode: WaitForFirstConsumer}");
  Ran ran = apply(
      "- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: "
      "{storageClassName: " +
      name_space() + ", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}\n");
  EXPECT_EQ(ran.code, 0) << ran.all();
}

TEST_F(Failures, AQuota) {
  put("{apiVersion: v1, kind: ResourceQuota, metadata: {name: none, namespace: " + name_space() +
      "}, spec: {hard: {pods: '0'}}}");
  Ran ran = apply(deployment(""));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("exceeded quota: none, requested: pods=1, used: pods=0, limited: "
                                 "pods=0"));
}

TEST_F(Failures, PodSecurity) {
  kubectl({"label", "namespace", name_space(), "pod-security.kubernetes.io/enforce=restricted"});
  Ran ran = apply(deployment(""));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("violates PodSecurity"));
}

TEST_F(Failures, AServiceAccountThatIsMissing) {
  Ran ran = apply(deployment("", "serviceAccountName: robot"));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("serviceaccount \"robot\" not found"));
}

TEST_F(Failures, AJobThatFails_EndsAtOnce) {
  Ran ran = apply(R"(- apiVersion: batch/v1
  kind: Job
  metadata: {name: migrate}
  spec:
    backoffLimit: 0
    template:
      metadata: {annotations: {played: ')" +
                      played("Failed", R"({"terminated":{"exitCode":3,"reason":"Error","message":)"
                                       R"("no such table","startedAt":null,"finishedAt":null}})") +
                      R"('}}
      spec: {restartPolicy: Never, containers: [{name: main, image: nginx}]}
)",
                  "60s");
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("container main: exited with code 3: Error: no such table"));
}

constexpr const char* kConfigMap =
    "- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}\n";

class Webhooks : public Failures {
 protected:
  /// A webhook that is asked about ConfigMaps of the test's namespace; `client`: where it is.
  void hook(const std::string& client) {
    put(R"({apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration,
      metadata: {name: )" +
        name_space() + R"(}, webhooks: [{name: check.example.com, clientConfig: )" + client +
        R"(, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE],
      resources: [configmaps]}], sideEffects: None, admissionReviewVersions: [v1],
      timeoutSeconds: 2, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: )" +
        name_space() + "}}}]}");
  }
  void unhook() { kubectl({"delete", "validatingwebhookconfiguration", name_space()}); }
  void TearDown() override {
    if (!name_space().empty()) unhook();
  }
};

TEST_F(Webhooks, ThatCannotBeCalledYet_AreWaitedFor) {
  hook("{url: 'https://127.0.0.1:1/'}");
  plan(kConfigMap, "60s");
  Background running = rehearsal().start({"apply", "--events", "events"});
  EXPECT_TRUE(eventually(
      [&] {
        return read_file(rehearsal().folder() + "/events").find("\"retry\"") != std::string::npos;
      },
      std::chrono::seconds(20)));
  unhook();
  Ran ran = running.wait(std::chrono::seconds(90));
  EXPECT_EQ(ran.code, 0) << ran.all();
  EXPECT_THAT(ran.all(), HasSubstr("(not ready), next in"));
  EXPECT_THAT(ran.all(), HasSubstr("webhook \"check.example.com\" cannot be called yet: dial tcp "
                                   "127.0.0.1:1: connect: connection refused"));
  EXPECT_THAT(ran.all(), Not(HasSubstr("nternal error")));
}

TEST_F(Webhooks, OfADeadOperator_AreNamedWithTheirServiceAndItsDeployment) {
  hook("{service: {name: hook, namespace: " + name_space() + "}}");
  put("{apiVersion: v1, kind: Service, metadata: {name: hook, namespace: " + name_space() +
      "}, spec: {selector: {app: web}, ports: [{port: 443}]}}");
  put("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: " + name_space() +
      "}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
      "spec: {nodeSelector: {no: where}, containers: [{name: main, image: nginx}]}}}}");
  Ran ran = apply(kConfigMap, "9s");
  EXPECT_EQ(ran.code, 6) << ran.all();
  for (const std::string& text :
       {std::string("webhook \"check.example.com\" cannot be called yet"),
        "ValidatingWebhookConfiguration " + name_space() + " has Service " + name_space() +
            "/hook asked (failurePolicy Fail)",
        "Service " + name_space() + "/hook: none of its endpoints is ready → Deployment " +
            name_space() + "/web: 0 of 1 replica is available",
        std::string("(since 20"), "kubectl delete validatingwebhookconfiguration " + name_space()})
    EXPECT_THAT(ran.err, HasSubstr(text));
}

TEST_F(Webhooks, WhoseServiceIsMissing_AreNamedToo) {
  hook("{service: {name: hook, namespace: " + name_space() + "}}");
  Ran ran = apply(kConfigMap, "4s");
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("Service " + name_space() + "/hook: it does not exist"));
}

TEST_F(Failures, ANamespaceThatIsBeingDeleted_SaysWhatHoldsIt) {
  const std::string group = name_space() + ".example.com";
  put("{apiVersion: v1, kind: ConfigMap, metadata: {name: held, namespace: " + name_space() +
      ", finalizers: [example.com/hold]}}");
  put("{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1." + group +
      "}, spec: {group: " + group +
      ", version: v1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: "
      "true, service: {name: gone, namespace: default}}}");
  ASSERT_EQ(kubectl({"delete", "namespace", name_space(), "--wait=false"}).code, 0);
  EXPECT_TRUE(eventually(
      [&] {
        return kubectl({"get", "namespace", name_space(), "-o", "yaml"})
                   .out.find("DiscoveryFailed") != std::string::npos;
      },
      std::chrono::seconds(60)));
  Ran ran = apply(kConfigMap, "4s");
  kubectl({"delete", "apiservice", "v1." + group});
  kubectl({"patch", "configmap", "held", "-n", name_space(), "--type", "merge", "-p",
           R"({"metadata":{"finalizers":null}})"});
  EXPECT_EQ(ran.code, 6) << ran.all();
  for (const std::string& text :
       {"Namespace " + name_space() + " is being deleted since 20",
        std::string("example.com/hold in 1 resource instances"),
        "APIService v1." + group +
            ": it is not Available: service/gone in \"default\" is not present"})
    EXPECT_THAT(ran.err, HasSubstr(text));
}

TEST_F(Failures, ADefinitionWhoseNamesAreTaken_EndsAtOnce) {
  const std::string group = name_space() + ".example.com";
  put(definition(group, "v1", "Thing", "things"));
  Ran ran = apply("- " + definition(group, "v1", "Thing", "others") + "\n", "60s");
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("is already in use"));
  EXPECT_THAT(ran.err, HasSubstr("another CustomResourceDefinition holds one of its names"));
}

TEST_F(Failures, AnApiServiceWithoutAService) {
  const std::string group = name_space() + ".example.com";
  Ran ran =
      apply("- {apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1." +
            group + "}, spec: {group: " + group +
            ", version: v1, groupPriorityMinimum: 100, versionPriority: 100, "
            "insecureSkipTLSVerify: true, service: {name: gone, namespace: default}}}\n");
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("→ Service default/gone: it does not exist"));
  kubectl({"delete", "apiservice", "v1." + group});
}

TEST_F(Failures, ACertificate_IsFollowedDownToItsChallenge) {
  for (const auto& [group, kind, plural] :
       {std::tuple("cert-manager.io", "Certificate", "certificates"),
        std::tuple("cert-manager.io", "CertificateRequest", "certificaterequests"),
        std::tuple("cert-manager.io", "Issuer", "issuers"),
        std::tuple("acme.cert-manager.io", "Order", "orders"),
        std::tuple("acme.cert-manager.io", "Challenge", "challenges")})
    put(definition(group, "v1", kind, plural));
  const std::string certificate =
      "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: web}, spec: "
      "{issuerRef: "
      "{name: acme}}, status: {conditions: [{type: Ready, status: 'False', reason: DoesNotExist, "
      "message: Issuing certificate as Secret does not exist}]}}";
  apply("- " + certificate + "\n", "1s");
  std::string owner = "Certificate";
  auto child = [&](const std::string& api, const std::string& kind, const std::string& status) {
    std::string uid =
        kubectl({"get", owner, "web", "-n", name_space(), "-o", "jsonpath={.metadata.uid}"}).out;
    put("{apiVersion: " + api + ", kind: " + kind + ", metadata: {name: web, namespace: " +
        name_space() + ", ownerReferences: [{apiVersion: x/v1, kind: " + owner +
        ", name: web, uid: " + uid + "}]}, status: " + status + "}");
    owner = kind;
  };
  child("cert-manager.io/v1", "CertificateRequest",
        "{conditions: [{type: Ready, status: 'False', reason: Pending, message: Waiting on "
        "certificate issuance from order}]}");
  child("acme.cert-manager.io/v1", "Order", "{state: pending}");
  child("acme.cert-manager.io/v1", "Challenge",
        "{state: pending, reason: 'Waiting for DNS-01 challenge propagation'}");
  Ran ran = apply("- " + certificate + "\n");
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("→ Order " + name_space() + "/web: it is pending → Challenge " +
                                 name_space() +
                                 "/web: it is pending: Waiting for DNS-01 challenge propagation"));
}

TEST_F(Failures, AnExternalSecretThatCannotBeRead_IsGivenUpAfterTheGrace) {
  put(definition("external-secrets.io", "v1", "ExternalSecret", "externalsecrets"));
  put(definition("external-secrets.io", "v1", "SecretStore", "secretstores"));
  Ran ran = apply(
      "- {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db}, spec: "
      "{secretStoreRef: {name: vault}}, status: {conditions: [{type: Ready, status: 'False', "
      "reason: "
      "SecretSyncedError, message: could not get provider client}]}}\n",
      "60s", "grace: 1s");
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_THAT(ran.err,
              HasSubstr("ExternalSecret " + name_space() +
                        "/db: Ready is False: could not get provider client → SecretStore " +
                        name_space() + "/vault: it does not exist (unchanged for 1.0s)"));
}

TEST_F(Failures, AnObjectTooLarge_ForEtcdAndForTheApiServer) {
  put(definition("sizes.example.com", "v1", "Blob", "blobs"));
  ASSERT_TRUE(eventually(
      [&] {
        return kubectl({"get", "blobs"}).code == 0;
      },
      std::chrono::seconds(30)));
  for (const auto& [size, words] :
       {std::pair(size_t{7} << 18, "etcdserver: request is too large"),
        std::pair(size_t{5} << 19, "trying to send message larger than max (2"),
        std::pair(size_t{4} << 20, "Request entity too large: limit is 3145728")}) {
    rehearsal().write("blob.yaml",
                      "apiVersion: sizes.example.com/v1\nkind: Blob\nmetadata: {name: blob}\n"
                      "spec: {text: " +
                          std::string(size, 'x') + "}\n");
    Ran ran = apply_path("blob.yaml");
    EXPECT_EQ(ran.code, 1) << ran.all();
    EXPECT_THAT(ran.err, HasSubstr("blob.yaml:1:1: error: things: cannot apply Blob " +
                                   name_space() + "/blob"));
    EXPECT_THAT(ran.err, HasSubstr(words));
  }
}

TEST_F(Failures, StatusTellsInFullOnDemand) {
  EXPECT_EQ(apply(deployment("", "nodeSelector: {no: where}"), "4s").code, 6);
  EXPECT_TRUE(eventually(
      [&] {
        return kubectl({"get", "events", "-n", name_space()}).out.find("FailedScheduling") !=
               std::string::npos;
      },
      std::chrono::seconds(60)));
  Ran brief = rehearsal().blackstart({"status"});
  Ran full = rehearsal().blackstart({"status", "-v"});
  EXPECT_EQ(full.code, 2) << full.all();
  EXPECT_THAT(brief.out, Not(HasSubstr("event of Pod")));
  EXPECT_THAT(full.out, HasSubstr("event of Pod " + name_space() + "/web-"));
  EXPECT_THAT(full.out, HasSubstr("FailedScheduling: 0/"));
}

}  // namespace
}  // namespace blackstart::test
