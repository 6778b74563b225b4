// helm.release with the real helm, 3 and 4: what goes wrong, and a helm killed half-way.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

std::string release_plan(const std::string& more = "", const std::string& spec = "") {
  std::string plan = plan_with_cluster(R"(
    - name: web
      uses: helm.release
      timeout: 60s
      with:
        release: web
        namespace: web
        createNamespace: true
        chart: {path: chart}
)" + more);
  if (!spec.empty()) plan.replace(plan.find("spec:\n"), 6, "spec:\n" + spec);
  return plan;
}

void write_chart(Rehearsal& rehearsal, const std::string& body) {
  rehearsal.write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
  rehearsal.write("chart/values.yaml", "replicas: 1\n");
  rehearsal.write("chart/templates/web.yaml", body);
}

const char* kConfigMap =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {replicas: \"{{ "
    ".Values.replicas }}\"}\n";

/// The chart's path, in the rehearsal's folder, is an argument of helm's.
bool runs_helm(const Rehearsal& rehearsal) {
  return std::ranges::any_of(rehearsal.processes(), [](int pid) {
    return read_file("/proc/" + std::to_string(pid) + "/cmdline")
               .find(std::string("upgrade") + '\0') != std::string::npos;
  });
}

class Helm : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    NEEDS_PART("kwokctl");
    if (access(part(GetParam()).c_str(), X_OK) != 0)
      GTEST_SKIP() << "NOT RUN: " << GetParam() << " is not there";
  }
  std::string tools() const { return "  tools: {helm: \"" + part(GetParam()) + "\"}\n"; }
};

TEST_P(Helm, InstallsThenHasNothingToDo_UpgradesWhenValuesChange) {
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("values.yaml", "replicas: 2\n");
  rehearsal.write("plan.yaml", release_plan("        values: [values.yaml]\n", tools()));
  Ran first = rehearsal.blackstart({"apply"});
  ASSERT_EQ(first.code, 0) << first.all();
  Ran second = rehearsal.blackstart({"apply"});
  EXPECT_EQ(second.code, 0) << second.all();
  EXPECT_NE(second.err.find("nothing to do"), std::string::npos) << second.err;
  EXPECT_EQ(rehearsal.get("secrets -n web -l owner=helm").at("items").as_array().size(), 1u)
      << "still revision 1";
  rehearsal.write("values.yaml", "replicas: 3\n");
  EXPECT_EQ(rehearsal.blackstart({"plan", "--detailed-exitcode"}).code, 2);
  ASSERT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  EXPECT_EQ(rehearsal.get("configmap web -n web").at("data").at("replicas").as_string(), "3");
}

TEST_P(Helm, KilledHalfWay_TheNextApplyRepairsTheRelease) {
  Rehearsal rehearsal;
  // A hook that never ends keeps helm in pending-install.
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("chart/templates/hook.yaml",
                  "{{ if .Values.hang }}\napiVersion: batch/v1\nkind: Job\nmetadata: {name: hang, "
                  "annotations: {helm.sh/hook: pre-install}}\n"
                  "spec: {template: {spec: {restartPolicy: Never, nodeSelector: {no: where}, "
                  "containers: [{name: c, image: busybox}]}}}\n{{ end }}\n");
  rehearsal.write("values.yaml", "hang: true\n");
  rehearsal.write("plan.yaml", release_plan("        values: [values.yaml]\n", tools()));
  {
    Background apply = rehearsal.start({"apply"});
    ASSERT_TRUE(eventually(
        [&] {
          return rehearsal.get("secrets -n web -l status=pending-install").is_object() &&
                 !rehearsal.get("secrets -n web -l status=pending-install")
                      .at("items")
                      .as_array()
                      .empty();
        },
        std::chrono::seconds(180)));
    apply.signal(SIGKILL);  // helm dies with us
    apply.wait(std::chrono::seconds(30));
  }
  EXPECT_TRUE(eventually([&] { return !runs_helm(rehearsal); }, std::chrono::seconds(30)));
  rehearsal.write("values.yaml", "hang: false\n");
  Ran again = rehearsal.blackstart({"apply", "--yes"});
  ASSERT_EQ(again.code, 0) << again.all();
  EXPECT_EQ(rehearsal.blackstart({"status"}).code, 0);
}

TEST_P(Helm, KilledWhileItUninstalls_TheNextApplyInstallsAgain) {
  Rehearsal rehearsal;
  // A finalizer keeps helm, which waits until all is gone, in uninstalling.
  write_chart(rehearsal,
              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, finalizers: "
              "[example.com/hold]}\n");
  rehearsal.write("plan.yaml", release_plan("", tools()));
  Ran first = rehearsal.blackstart({"apply"});
  ASSERT_EQ(first.code, 0) << first.all();
  {
    Background destroy = rehearsal.start({"destroy", "--yes", "--only", "web"});
    ASSERT_TRUE(eventually(
        [&] {
          return rehearsal.get("configmap web -n web")
              .at("metadata")
              .as_object()
              .contains("deletionTimestamp");
        },
        std::chrono::seconds(60)));
    destroy.signal(SIGKILL);
    destroy.wait(std::chrono::seconds(30));
  }
  boost::json::value left = rehearsal.get("secrets -n web -l status=uninstalling");
  EXPECT_EQ(left.at("items").as_array().size(), 1u);
  ASSERT_EQ(rehearsal
                .kubectl({"patch", "configmap", "web", "-n", "web", "--type=merge", "-p",
                          R"({"metadata":{"finalizers":null}})"})
                .code,
            0);
  Ran again = rehearsal.blackstart({"apply"});
  ASSERT_EQ(again.code, 0) << again.all();
  EXPECT_EQ(rehearsal.kubectl({"get", "configmap", "web", "-n", "web"}).code, 0);
  rehearsal.kubectl({"patch", "configmap", "web", "-n", "web", "--type=merge", "-p",
                     R"({"metadata":{"finalizers":null}})"});
}

TEST_P(Helm, AChartThatDoesNotRender_FailsWithHelmsOwnWords) {
  Rehearsal rehearsal;
  write_chart(rehearsal,
              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ required \"a colour is "
              "needed\" .Values.colour }} }\n");
  rehearsal.write("plan.yaml", release_plan("", tools()));
  Ran ran = rehearsal.blackstart({"apply"});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_NE(ran.err.find("a colour is needed"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("plan.yaml:"), std::string::npos) << ran.err;
}

TEST_P(Helm, ObjectsOfNobody_AreAllNamed_AndTakenWithConsentAlone) {
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("chart/templates/more.yaml",
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\ndata: {k: chart}\n");
  rehearsal.write("plan.yaml", release_plan("", tools()));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--only", "cluster"}).code, 0);
  ASSERT_EQ(rehearsal.kubectl({"create", "namespace", "web"}).code, 0);
  for (const char* name : {"web", "more"})
    ASSERT_EQ(
        rehearsal.kubectl({"-n", "web", "create", "configmap", name, "--from-literal=k=mine"}).code,
        0);
  Ran refused = rehearsal.blackstart({"apply"});
  EXPECT_EQ(refused.code, 1) << refused.all();
  for (const char* words : {"ConfigMap web/web belongs to no release",
                            "ConfigMap web/more belongs to no release", "takeOwnership: true"})
    EXPECT_NE(refused.err.find(words), std::string::npos) << refused.err;
  rehearsal.write("plan.yaml", release_plan("        takeOwnership: true\n", tools()));
  Ran taken = rehearsal.blackstart({"apply"});
  EXPECT_EQ(taken.code, 0) << taken.all();
  EXPECT_EQ(rehearsal.get("configmap more -n web").at("data").at("k").as_string(), "chart");
  Ran again = rehearsal.blackstart({"apply"});
  EXPECT_NE(again.err.find("nothing to do after"), std::string::npos) << again.all();
}

TEST_P(Helm, ObjectsOfAnotherRelease_AreNotTaken) {
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("plan.yaml", release_plan("", tools()));
  ASSERT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  std::string other = release_plan("        takeOwnership: true\n", tools());
  other.replace(other.find("release: web"), 12, "release: two");
  rehearsal.write("plan.yaml", other);
  Ran refused = rehearsal.blackstart({"apply"});
  EXPECT_EQ(refused.code, 1) << refused.all();
  EXPECT_NE(refused.err.find("release web/two would take over 1 object of another release"),
            std::string::npos)
      << refused.err;
  EXPECT_NE(refused.err.find("ConfigMap web/web belongs to release web/web"), std::string::npos)
      << refused.err;
}

// helm cannot try out a chart with objects of its own definitions before these are there.
TEST_P(Helm, AChartWithItsOwnDefinitions_TakesNothingOfAnotherRelease) {
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("chart/crds/things.yaml",
                  "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: "
                  "{name: things.example.com}\nspec: {group: example.com, scope: Namespaced, "
                  "names: {kind: Thing, plural: things}, versions: [{name: v1, served: true, "
                  "storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n");
  rehearsal.write("chart/templates/thing.yaml",
                  "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: first}\n");
  rehearsal.write("plan.yaml", release_plan("        takeOwnership: true\n", tools()));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--only", "cluster"}).code, 0);
  ASSERT_EQ(rehearsal.kubectl({"create", "namespace", "web"}).code, 0);
  rehearsal.write("theirs.yaml",
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: web, labels: "
                  "{app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: "
                  "other, meta.helm.sh/release-namespace: web}}\n");
  ASSERT_EQ(rehearsal.kubectl({"apply", "-f", rehearsal.folder() + "/theirs.yaml"}).code, 0);
  Ran refused = rehearsal.blackstart({"apply"});
  EXPECT_EQ(refused.code, 1) << refused.all();
  EXPECT_NE(refused.err.find("ConfigMap web/web belongs to release web/other"), std::string::npos)
      << refused.err;
  ASSERT_EQ(rehearsal
                .kubectl({"-n", "web", "annotate", "configmap", "web", "meta.helm.sh/release-name-",
                          "meta.helm.sh/release-namespace-"})
                .code,
            0);
  Ran taken = rehearsal.blackstart({"apply"});
  EXPECT_EQ(taken.code, 0) << taken.all();
  EXPECT_EQ(rehearsal.kubectl({"-n", "web", "get", "things.example.com", "first"}).code, 0);
}

TEST_P(Helm, AHookThatFails_IsNamedWithItsJob) {
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("chart/templates/hook.yaml",
                  "apiVersion: batch/v1\nkind: Job\nmetadata: {name: secret-init, annotations: "
                  "{helm.sh/hook: pre-install}}\nspec: {backoffLimit: 0, activeDeadlineSeconds: 2, "
                  "template: {spec: {restartPolicy: Never, nodeSelector: {no: where}, containers: "
                  "[{name: c, image: busybox}]}}}\n");
  rehearsal.write("plan.yaml", release_plan("", tools()));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--only", "cluster"}).code, 0);
  ASSERT_EQ(rehearsal.kubectl({"create", "namespace", "web"}).code, 0);
  rehearsal.write("theirs.yaml",
                  "apiVersion: batch/v1\nkind: Job\nmetadata: {name: another-releases, namespace: "
                  "web, annotations: {helm.sh/hook: pre-install}}\nspec: {template: {spec: "
                  "{restartPolicy: Never, nodeSelector: {no: where}, containers: [{name: c, image: "
                  "busybox}]}}}\n");
  ASSERT_EQ(rehearsal.kubectl({"apply", "-f", rehearsal.folder() + "/theirs.yaml"}).code, 0);
  Ran failed = rehearsal.blackstart({"apply"});
  EXPECT_EQ(failed.code, 1) << failed.all();
  EXPECT_NE(failed.err.find("hook pre-install: Job web/secret-init: "), std::string::npos)
      << failed.err;
  EXPECT_NE(failed.err.find("DeadlineExceeded"), std::string::npos) << failed.err;
}

TEST_P(Helm, WhatHasStalled_EndsTheWaitOnceItHasLasted_AndAnUnusedClaimDoesNotHoldItUp) {
  Rehearsal rehearsal;
  write_chart(rehearsal,
              "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: later}\n"
              "provisioner: disk.example.com\nvolumeBindingMode: WaitForFirstConsumer\n---\n"
              "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: unused}\nspec: "
              "{storageClassName: later, accessModes: [ReadWriteOnce], resources: {requests: "
              "{storage: 1Gi}}}\n");
  rehearsal.write("plan.yaml", release_plan("        grace: 1s\n", tools()));
  Ran done = rehearsal.blackstart({"apply"});
  EXPECT_EQ(done.code, 0) << done.all();
  rehearsal.write("chart/templates/more.yaml",
                  "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: "
                  "{progressDeadlineSeconds: 1, selector: {matchLabels: {a: b}}, template: "
                  "{metadata: {labels: {a: b}}, spec: {nodeSelector: {no: where}, containers: "
                  "[{name: c, image: busybox}]}}}\n");
  Ran stalled = rehearsal.blackstart({"apply"});
  EXPECT_EQ(stalled.code, 1) << stalled.all();
  for (const char* words : {"1 object of release web/web is not ready: Deployment web/web: ",
                            "didn't match Pod's node affinity/selector", "(unchanged for 1.0s)"})
    EXPECT_NE(stalled.err.find(words), std::string::npos) << stalled.err;
}

TEST_P(Helm, AnExecPlugin_IsFoundOnThePath_AndHasTheEnvironment) {
  Rehearsal made, user;
  made.write("plan.yaml", plan_with_cluster(""));
  ASSERT_EQ(made.blackstart({"apply"}).code, 0);
  made.kubectl({"create", "serviceaccount", "boss", "-n", "default"});
  made.kubectl({"create", "clusterrolebinding", "boss", "--clusterrole=cluster-admin",
                "--serviceaccount=default:boss"});
  std::string token = made.kubectl({"create", "token", "boss", "-n", "default"}).out;
  std::string server =
      made.kubectl({"config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"}).out;
  user.write(
      "kubeconfig",
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: "
      "[{name: k, cluster: {insecure-skip-tls-verify: true, server: '" +
          server +
          "'}}]\nusers: [{name: u, user: {exec: {command: lab-login, interactiveMode: Never, "
          "apiVersion: client.authentication.k8s.io/v1}}}]\n");
  user.write("bin/lab-login",
             "#!/bin/sh\necho '{\"kind\": \"ExecCredential\", \"apiVersion\": "
             "\"client.authentication.k8s.io/v1\", \"status\": {\"token\": \"'$LAB_TOKEN'\"}}'\n");
  std::filesystem::permissions(user.folder() + "/bin/lab-login", std::filesystem::perms::owner_all);
  write_chart(user, kConfigMap);
  user.write(
      "plan.yaml",
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: existing}\nspec:\n" +
          tools() +
          "  cluster: {kubeconfig: kubeconfig}\n  stages:\n    - {name: web, uses: "
          "helm.release, with: {release: web, namespace: default, chart: {path: chart}}}\n");
  Ran ran = user.blackstart({"apply"}, {{"PATH", user.folder() + "/bin:/usr/bin:/bin"},
                                        {"LAB_TOKEN", token.substr(0, token.find('\n'))}});
  EXPECT_EQ(ran.code, 0) << ran.all();
  EXPECT_EQ(made.kubectl({"-n", "default", "get", "configmap", "web"}).code, 0);
}

TEST(HelmMajors, OneRelease_GoesThroughBoth) {
  NEEDS_PART("kwokctl");
  NEEDS_PART("helm4");
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  int replicas = 1;
  for (const char* helm : {"helm", "helm4", "helm"}) {
    std::string set = "        set: {replicas: " + std::to_string(++replicas) + "}\n";
    rehearsal.write("plan.yaml", release_plan(set, "  tools: {helm: \"" + part(helm) + "\"}\n"));
    Ran ran = rehearsal.blackstart({"apply"});
    ASSERT_EQ(ran.code, 0) << helm << ran.all();
    EXPECT_EQ(rehearsal.get("configmap web -n web").at("data").at("replicas").as_string(),
              std::to_string(replicas));
  }
}

INSTANTIATE_TEST_SUITE_P(Major, Helm, testing::Values("helm", "helm4"));

TEST(HelmInput, AMissingValuesFile_IsFoundByValidate) {
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("plan.yaml", release_plan("        values: [valeus.yaml]\n"));
  Ran ran = rehearsal.blackstart({"validate"});
  EXPECT_EQ(ran.code, 64) << ran.all();
  EXPECT_NE(ran.out.find("valeus.yaml"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("plan.yaml:17:18"), std::string::npos) << ran.out;
}

TEST(HelmInput, HelmMissing_SaysWhereWasLooked) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("plan.yaml", release_plan());
  TemporaryFolder parts;
  std::filesystem::create_directories(parts.path() + "/bin");
  for (const auto& entry : std::filesystem::directory_iterator(parts_folder())) {
    std::string name = entry.path().filename();
    if (!name.starts_with("helm"))
      std::filesystem::create_symlink(entry.path(), parts.path() + "/bin/" + name);
  }
  std::map<std::string, std::string> bare{{"BLACKSTART_PARTS", parts.path()},
                                          {"PATH", "/usr/bin:/bin"}};
  Ran planned = rehearsal.blackstart({"plan"}, bare);
  EXPECT_EQ(planned.code, 0) << planned.all();
  EXPECT_NE(planned.err.find("warning: helm was not found"), std::string::npos) << planned.err;
  Ran ran = rehearsal.blackstart({"apply"}, bare);
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_NE(ran.err.find("helm was not found"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("/usr/bin"), std::string::npos) << ran.err;
}

TEST(HelmInput, HelmTooOld_IsRefusedWithItsVersion) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  write_chart(rehearsal, kConfigMap);
  rehearsal.write("helm", "#!/bin/sh\necho v2.17.0\n");
  std::filesystem::permissions(rehearsal.folder() + "/helm", std::filesystem::perms::owner_all);
  rehearsal.write("plan.yaml",
                  release_plan("", "  tools: {helm: \"" + rehearsal.folder() + "/helm\"}\n"));
  Ran ran = rehearsal.blackstart({"apply"});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_NE(ran.err.find("helm 2.17.0 is too old"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace blackstart::test
