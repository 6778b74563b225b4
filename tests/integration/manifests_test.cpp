// kube.manifests and kube.crds on a real API server: what cannot be changed in place, what is no
// longer wanted, what belongs to others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string map(const std::string& name, const std::string& value = "v") {
  return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
         "}\ndata: {k: " + value + "}\n";
}

/// A stage "things" of things.yaml, with more options.
std::string things_plan(const std::string& options, const std::string& more_stages = "") {
  return plan_with_cluster(R"(
    - name: things
      uses: kube.manifests
      with: {path: things.yaml)" +
                           options + "}\n" + more_stages);
}

class Things : public testing::Test {
 protected:
  void SetUp() override { NEEDS_PART("kwokctl"); }
  /// Applies and expects that to go well; what was printed.
  std::string apply() {
    Ran ran = rehearsal.blackstart({"apply", "--yes"});
    EXPECT_EQ(ran.code, 0) << ran.all();
    return ran.all();
  }
  std::string plan() { return rehearsal.blackstart({"plan"}).all(); }
  bool is_there(const std::string& what) { return rehearsal.kubectl({"get", what}).code == 0; }
  std::string uid_of(const std::string& what) {
    return boost::json::serialize(rehearsal.get(what).at("metadata").at("uid"));
  }
  /// Dies at the first failpoint, then at the second, … until a run comes to its end.
  int apply_dying_everywhere() {
    for (int point = 1; point < 60; ++point) {
      Ran ran = rehearsal.blackstart({"apply", "--yes"},
                                     {{"BLACKSTART_FAILPOINT_KILL", std::to_string(point)}});
      if (ran.code == 0) return point;
    }
    ADD_FAILURE() << "it never came to its end";
    return 0;
  }
  Rehearsal rehearsal;
};

TEST_F(Things, NoLongerNamed_ArePrunedOnceThatIsAsked_AlsoThoseOfEarlierRuns) {
  rehearsal.write("things.yaml", map("a") + map("b") + map("c"));
  rehearsal.write("plan.yaml", things_plan(""));
  apply();
  rehearsal.write("things.yaml", map("a") + map("b"));
  apply();
  EXPECT_TRUE(is_there("configmap/c")) << "nobody asked";
  rehearsal.write("things.yaml", map("a"));
  rehearsal.write("plan.yaml", things_plan(", prune: true"));
  std::string shown = plan();
  EXPECT_THAT(shown, HasSubstr("remove 2 objects that are no longer wanted (destructive)"));
  EXPECT_THAT(shown, HasSubstr("- ConfigMap default/b"));
  EXPECT_THAT(shown, HasSubstr("- ConfigMap default/c"));
  Ran unconfirmed = rehearsal.blackstart({"apply"});
  EXPECT_NE(unconfirmed.code, 0) << unconfirmed.all();
  EXPECT_TRUE(is_there("configmap/b")) << "nobody agreed";
  EXPECT_GT(apply_dying_everywhere(), 2);
  EXPECT_FALSE(is_there("configmap/b"));
  EXPECT_FALSE(is_there("configmap/c"));
  EXPECT_TRUE(is_there("configmap/a"));
  EXPECT_THAT(apply(), HasSubstr("nothing to do"));
}

TEST_F(Things, AppliedByARunThatDied_AreRememberedAsOurs) {
  rehearsal.write("things.yaml", map("a"));
  rehearsal.write("plan.yaml", things_plan(", prune: true"));
  apply();
  rehearsal.write("things.yaml", map("a") + map("b"));
  for (int point = 1; point < 60 && !is_there("configmap/b"); ++point)
    rehearsal.blackstart({"apply", "--yes"},
                         {{"BLACKSTART_FAILPOINT_KILL", std::to_string(point)}});
  ASSERT_TRUE(is_there("configmap/b"));
  rehearsal.write("things.yaml", map("a"));
  apply();
  EXPECT_FALSE(is_there("configmap/b"));
}

TEST_F(Things, MovedToAnotherStage_AreNotPruned) {
  rehearsal.write("things.yaml", map("a") + map("b"));
  rehearsal.write("more.yaml", map("z"));
  const std::string more = R"(
    - name: more
      uses: kube.manifests
      needs: [things]
      with: {path: more.yaml}
)";
  rehearsal.write("plan.yaml", things_plan(", prune: true", more));
  apply();
  std::string before = uid_of("configmap/b");
  rehearsal.write("things.yaml", map("a"));
  rehearsal.write("more.yaml", map("z") + map("b"));
  EXPECT_THAT(plan(), Not(HasSubstr("- ConfigMap")));
  apply();
  EXPECT_EQ(uid_of("configmap/b"), before);
  rehearsal.write("more.yaml", map("z"));
  apply();
  EXPECT_TRUE(is_there("configmap/b")) << "stage more does not prune, and things has let it go";
}

TEST_F(Things, WithoutMemory_NothingIsPrunedAndThatIsSaid) {
  rehearsal.write("things.yaml", map("a") + map("b"));
  rehearsal.write("plan.yaml", things_plan(", prune: true"));
  apply();
  unlink((rehearsal.state() + "/stages/things/applied.json").c_str());
  rehearsal.write("things.yaml", map("a"));
  EXPECT_THAT(apply(), HasSubstr("nothing is pruned: what earlier runs of this stage applied"));
  EXPECT_TRUE(is_there("configmap/b"));
}

std::string job(const std::string& image) {
  return "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {template: {spec: "
         "{restartPolicy: Never, containers: [{name: c, image: \"" +
         image + "\"}]}}}\n";
}

TEST_F(Things, ThatCannotBeChangedInPlace_SaySo_AndAreMadeAgainOnceThatIsPermitted) {
  rehearsal.write("things.yaml", map("a") + job("migrate:1"));
  rehearsal.write("plan.yaml", things_plan(", wait: false"));
  apply();
  std::string first = uid_of("job/migrate");
  rehearsal.write("things.yaml", map("a") + job("migrate:2"));
  Ran refused = rehearsal.blackstart({"apply", "--yes"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err,
              HasSubstr("spec.template.spec.containers[0].image is \"migrate:1\", wanted is "
                        "\"migrate:2\""));
  EXPECT_THAT(refused.err, HasSubstr("`recreate: [Job]`"));
  EXPECT_EQ(uid_of("job/migrate"), first);
  rehearsal.write("plan.yaml", things_plan(", wait: false, recreate: [Job]"));
  std::string shown = plan();
  EXPECT_THAT(shown, HasSubstr("(destructive)"));
  EXPECT_THAT(shown, HasSubstr("-/+ Job default/migrate (spec.template.spec.containers[0].image"));
  EXPECT_GT(apply_dying_everywhere(), 2);
  EXPECT_NE(uid_of("job/migrate"), first);
  EXPECT_THAT(apply(), HasSubstr("nothing to do"));
}

TEST_F(Things, OfEveryKindWithImmutableFields_NameTheFieldAndBothValues) {
  const std::string head = "---\napiVersion: ";
  auto all = [&](const std::string& value) {
    return head +
           "storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: slow}\nprovisioner: " + value +
           ".io\n" + head +
           "rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: "
           "{apiGroup: rbac.authorization.k8s.io, kind: Role, name: " +
           value + "}\n" + head +
           "v1\nkind: Secret\nmetadata: {name: s}\nimmutable: true\nstringData: {k: " + value +
           "}\n" + head + "v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: " +
           (value == "one" ? "10.0.0.77" : "10.0.0.78") + ", ports: [{port: 80}]}\n" + head +
           "v1\nkind: PersistentVolumeClaim\nmetadata: {name: p}\nspec: {accessModes: "
           "[ReadWriteOnce], storageClassName: " +
           value + ", resources: {requests: {storage: 1Gi}}}\n" + head +
           "apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 0, selector: "
           "{matchLabels: {a: " +
           value + "}}, template: {metadata: {labels: {a: " + value +
           "}}, spec: {containers: [{name: c, image: i}]}}}\n" + head +
           "apps/v1\nkind: StatefulSet\nmetadata: {name: d}\nspec: {replicas: 0, serviceName: " +
           value +
           ", selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "
           "{containers: [{name: c, image: i}]}}}\n";
  };
  rehearsal.write("plan.yaml", things_plan(", wait: false"));
  rehearsal.write("things.yaml", all("one"));
  apply();
  rehearsal.write("things.yaml", all("two"));
  Ran refused = rehearsal.blackstart({"apply", "--yes"});
  EXPECT_EQ(refused.code, 1);
  for (const char* words : {"provisioner is \"one.io\", wanted is \"two.io\"",
                            "roleRef.name is \"one\", wanted is "
                            "\"two\"",
                            "spec.selector.matchLabels.a is \"one\", wanted is \"two\"",
                            "spec.clusterIP is \"10.0.0.77\", wanted is \"10.0.0.78\"",
                            "spec.storageClassName is \"one\", wanted is \"two\"",
                            "data would change", "spec.serviceName is \"one\", wanted is \"two\""})
    EXPECT_THAT(refused.err, HasSubstr(words));
}

TEST_F(Things, RefusedByTheServer_AreNamedByThePlaceOfTheField) {
  rehearsal.write("plan.yaml", things_plan(""));
  rehearsal.write("things.yaml", map("a") +
                                     "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "
                                     "web}\nspec:\n  replicsa: 1\n  selector: {matchLabels: {a: "
                                     "b}}\n");
  Ran refused = rehearsal.blackstart({"apply"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("things.yaml:11:3")) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(".spec.replicsa: field not declared in schema"));
}

struct Owner {
  const char* manager;
  std::vector<std::string> flags;  // of the kubectl apply that stands for it
  const char* words;
};

TEST_F(Things, OwnedByOthers_AreLeftToThemUntilForced) {
  const Owner owners[] = {
      {"kubectl-client-side-apply", {}, "the field was written by hand with kubectl"},
      {"helm", {"--server-side", "--field-manager=helm"}, "a Helm release owns the field"},
      {"argocd-controller",
       {"--server-side", "--field-manager=argocd-controller"},
       "Argo CD owns the field"}};
  rehearsal.write("plan.yaml", things_plan(""));
  rehearsal.write("things.yaml", map("a"));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--only", "cluster"}).code, 0);
  for (const Owner& owner : owners) {
    rehearsal.kubectl({"delete", "configmap", "a", "--ignore-not-found"});
    rehearsal.write("theirs.yaml", map("a", "theirs"));
    std::vector<std::string> command = {"apply", "-f", rehearsal.folder() + "/theirs.yaml"};
    command.insert(command.end(), owner.flags.begin(), owner.flags.end());
    ASSERT_EQ(rehearsal.kubectl(command).code, 0);
    rehearsal.write("plan.yaml", things_plan(""));
    Ran refused = rehearsal.blackstart({"apply"});
    EXPECT_EQ(refused.code, 1) << refused.all();
    EXPECT_THAT(refused.err, HasSubstr(".data.k is owned by \"" + std::string(owner.manager)));
    EXPECT_THAT(refused.err, HasSubstr(owner.words));
    rehearsal.write("plan.yaml", things_plan(", force: true"));
    EXPECT_THAT(apply(), HasSubstr("took over .data.k of ConfigMap default/a from \"" +
                                   std::string(owner.manager)));
    EXPECT_THAT(apply(), HasSubstr("nothing to do"));
  }
}

TEST_F(Things, APodBesideItsServiceAccountAndPriorityClass_IsTaken) {
  rehearsal.write("plan.yaml", things_plan(", wait: false"));
  rehearsal.write("things.yaml",
                  "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {serviceAccountName: sa, "
                  "priorityClassName: high, containers: [{name: c, image: i}]}\n---\napiVersion: "
                  "v1\nkind: ServiceAccount\nmetadata: {name: sa}\n---\napiVersion: "
                  "scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 10\n");
  apply();
  EXPECT_TRUE(is_there("pod/p"));
}

std::string definition(const std::string& channel) {
  return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: "
         "gateways.gateway.networking.k8s.io\n  annotations: {gateway.networking.k8s.io/channel: " +
         channel +
         ", api-approved.kubernetes.io: \"https://example.com\"}\nspec:\n  group: "
         "gateway.networking.k8s.io\n  scope: Namespaced\n  names: {kind: Gateway, plural: "
         "gateways}\n  versions:\n  - {name: v1, served: true, storage: true, schema: "
         "{openAPIV3Schema: {type: object}}}\n";
}

TEST_F(Things, DefinitionsOfALowerChannel_AreNotPutOverThoseOfAHigherOne) {
  rehearsal.write("plan.yaml", plan_with_cluster(R"(
    - {name: crds, uses: kube.crds, with: {sources: [{path: crd.yaml}]}}
)"));
  rehearsal.write("crd.yaml", definition("experimental"));
  apply();
  rehearsal.write("crd.yaml", definition("standard"));
  Ran refused = rehearsal.blackstart({"apply", "--yes"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("Gateway API's experimental channel"));
  EXPECT_THAT(refused.err, HasSubstr("allowDowngrade"));
}

TEST_F(Things, ADefinitionOfTwoStages_IsFoundBeforeAnythingExists) {
  rehearsal.write("plan.yaml", plan_with_cluster(R"(
    - {name: crds, uses: kube.crds, with: {sources: [{path: crd.yaml}]}}
    - {name: again, uses: kube.manifests, needs: [crds], with: {path: crd.yaml}}
)"));
  rehearsal.write("crd.yaml", definition("standard"));
  EXPECT_THAT(plan(), HasSubstr("CustomResourceDefinition gateways.gateway.networking.k8s.io comes "
                                "from stage crds and from stage again"));
}

}  // namespace
}  // namespace blackstart::test
