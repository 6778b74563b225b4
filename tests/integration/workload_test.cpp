// What becomes ready, what cannot, and what must not be seen.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <filesystem>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

TEST(Workload, ADeploymentThatCannotBeScheduled_EndsWithThePodsOwnWords) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", plan_with_cluster(R"(
    - name: web
      uses: kube.manifests
      timeout: 15s
      with:
        inline:
          - apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              selector: {matchLabels: {a: b}}
              template:
                metadata: {labels: {a: b}}
                spec: {nodeSelector: {no: where}, containers: [{name: c, image: nginx}]}
)"));
  Ran ran = rehearsal.blackstart({"apply"});
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_NE(ran.err.find("didn't match Pod's node affinity/selector"), std::string::npos)
      << ran.err;
}

TEST(Workload, SecondApplyWritesNothing_AndDriftIsFoundAndMended) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", plan_with_cluster(R"(
    - name: things
      uses: kube.manifests
      with:
        inline:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}
          - {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {a: b}, ports: [{port: 80}]}}
    - name: secret
      uses: kube.secret
      with: {name: s, namespace: default, data: {password: {random: {length: 24}}}}
)"));
  ASSERT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  auto versions = [&] {
    std::string text;
    for (const char* kind : {"configmap a", "service s", "secret s"})
      text += boost::json::serialize(rehearsal.get(kind).at("metadata").at("resourceVersion"));
    return text;
  };
  std::string before = versions();
  Ran second = rehearsal.blackstart({"apply"});
  EXPECT_EQ(second.code, 0) << second.all();
  EXPECT_EQ(versions(), before);
  ASSERT_EQ(rehearsal.kubectl({"patch", "configmap", "a", "-p", R"({"data":{"k":"drift"}})"}).code,
            0);
  Ran status = rehearsal.blackstart({"status"});
  EXPECT_EQ(status.code, 2) << status.all();
  Ran refused = rehearsal.blackstart({"apply"});
  EXPECT_EQ(refused.code, 1) << "another manager owns the field now\n" << refused.all();
  EXPECT_NE(refused.err.find("kubectl"), std::string::npos) << "names the other manager\n"
                                                            << refused.err;
}

/// Two namespaces and a Deployment; `label` is what the plan says of all of them.
std::string labelled_plan(const std::string& label) {
  std::string labels = "labels: {team: " + label + "}";
  return plan_with_cluster(R"(
    - {name: ours, uses: kube.namespace, with: {name: ours, )" +
                           labels + R"(}}
    - {name: theirs, uses: kube.namespace, with: {name: theirs, )" +
                           labels + R"(}}
    - name: web
      uses: kube.manifests
      needs: [ours]
      with:
        namespace: ours
        inline:
          - apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, )" +
                           labels + R"(}
            spec:
              selector: {matchLabels: {a: b}}
              template:
                metadata: {labels: {a: b}}
                spec: {containers: [{name: c, image: nginx}]}
)");
}

TEST(Workload, Destroy_TakesWhatWeMadeAndChangedSince_AndLeavesWhatWeOnlyLabelled) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", labelled_plan("a"));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--only", "cluster"}).code, 0);
  auto write_theirs = [&](const std::string& note) {
    rehearsal.write("theirs.yaml",
                    "{apiVersion: v1, kind: Namespace, metadata: {name: theirs, annotations: "
                    "{note: " +
                        note + "}}}");
    return rehearsal.kubectl({"apply", "--server-side", "-f", rehearsal.folder() + "/theirs.yaml"});
  };
  ASSERT_EQ(write_theirs("before").code, 0);
  Ran first = rehearsal.blackstart({"apply"});
  ASSERT_EQ(first.code, 0) << first.all();
  rehearsal.write("plan.yaml", labelled_plan("b"));
  Ran second = rehearsal.blackstart({"apply"});
  ASSERT_EQ(second.code, 0) << second.all();
  ASSERT_EQ(write_theirs("after").code, 0);
  Ran destroyed = rehearsal.blackstart({"destroy", "--yes", "--only", "web,ours,theirs"});
  EXPECT_EQ(destroyed.code, 0) << destroyed.all();
  EXPECT_NE(destroyed.all().find("left in place: Namespace theirs"), std::string::npos)
      << destroyed.all();
  EXPECT_EQ(rehearsal.kubectl({"get", "namespace", "theirs"}).code, 0);
  EXPECT_NE(rehearsal.kubectl({"get", "namespace", "ours"}).code, 0);
}

TEST(Workload, NoSecretIsInAnyOutput) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  const std::string canary = "cAnArY-7f3e-SeCrEt";
  rehearsal.write("plan.yaml", R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: secrets}
spec:
  cluster: {kubeconfig: "${{ stages.cluster.outputs.kubeconfig }}"}
  vars:
    token: {type: string, fromEnv: MY_TOKEN, required: true, sensitive: true}
  stages:
    - {name: cluster, uses: kwok.cluster, with: {nodes: 1}}
    - name: secret
      uses: kube.secret
      with: {name: s, namespace: default, data: {token: {value: "${{ vars.token }}"}}}
    - name: leak
      uses: exec
      needs: [secret]
      with: {argv: [/bin/sh, -c, "echo the token is $T; echo $T >&2; exit 3"], env: {T: "${{ vars.token }}"}}
)");
  Ran ran = rehearsal.blackstart(
      {"apply", "-v", "--events", "events.ndjson", "--log-level", "trace", "--log-file", "log"},
      {{"MY_TOKEN", canary}});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_EQ(rehearsal.kubectl({"get", "secret", "s"}).code, 0);
  Ran status = rehearsal.blackstart({"status", "-o", "json"}, {{"MY_TOKEN", canary}});
  std::string all = ran.all() + status.all();
  for (const auto& folder : {rehearsal.folder(), rehearsal.state()}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      std::string name = entry.path().filename();
      if (entry.is_regular_file() && (name.starts_with("journal") || name.starts_with("lock") ||
                                      name == "events.ndjson" || name == "log"))
        all += read_file(entry.path());
    }
  }
  EXPECT_GT(all.size(), 10'000u);
  EXPECT_EQ(all.find(canary), std::string::npos);
  EXPECT_EQ(all.find("Y0FuQXJZLTdmM2UtU2VDckV0"), std::string::npos) << "base64";
}

}  // namespace
}  // namespace blackstart::test
