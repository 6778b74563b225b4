#include <gtest/gtest.h>

#include "tests/unit/plan/plan_fixture.h"

namespace blackstart::plan {
namespace {

const char* const kWhole = R"(
  defaultEnvironment: rehearsal
  vars:
    version: 10.1.1
    size: {type: integer, default: 3, description: how many}
  environments:
    rehearsal:
      stages:
        cluster: {uses: cluster.make, with: {nodes: 2}}
    production:
      confirm: Change production?
      vars: {size: 5}
  cluster:
    kubeconfig: ${{ stages.cluster.outputs.kubeconfig }}
    context: admin
  tools: {helm: bin/helm}
  stages:
    - name: cluster
      uses: tool.make
      with: {text: made elsewhere}
    - name: crds
      uses: tool.make
      needs: [cluster]
      with:
        chart: {name: argo-cd, version: ${{ vars.version }}}
        file: crds/a.yaml
        count: ${{ vars.size }}
    - name: apply
      uses: kube.apply
      needs: [crds]
      when: env.name != 'production'
      stack: monitoring
      tags: [slow, web]
      timeout: 20m
      retry: {attempts: 3, backoff: 2s}
      confirm: once
      owner: argocd
      onFailure: stop
      notes: call somebody
      with: {manifest: {path: overlays/${{ env.name }}/x}}
)";

class Load : public testing::Test {
 protected:
  PlanFixture fixture_{plan_with(kWhole)};
  void SetUp() override {
    fixture_.files.contents["/plan/crds/a.yaml"] = "a";
    fixture_.files.contents["/plan/bin/helm"] = "#!";
  }
};

TEST_F(Load, AWholePlan_ComesOutTyped) {
  auto plan = fixture_.load();
  ASSERT_TRUE(plan.has_value()) << fixture_.findings();
  EXPECT_EQ(fixture_.findings(), "");
  EXPECT_EQ(plan->name, "test");
  EXPECT_EQ(plan->folder, "/plan");
  EXPECT_EQ(plan->environment, "rehearsal");
  EXPECT_FALSE(plan->confirm);
  EXPECT_EQ(plan->tools.at("helm"), "/plan/bin/helm");
  const Stage& apply = *plan->find("apply");
  EXPECT_EQ(apply.place.to_string(), "/plan/plan.yaml:31:7");
  EXPECT_EQ(apply.stack, "monitoring");
  EXPECT_EQ(apply.tags, (std::vector<std::string>{"slow", "web"}));
  EXPECT_EQ(apply.timeout, std::chrono::minutes(20));
  EXPECT_EQ(apply.retry.attempts, 3);
  EXPECT_EQ(apply.retry.backoff, std::chrono::seconds(2));
  EXPECT_EQ(apply.retry.backoff_max, std::chrono::seconds(30));
  EXPECT_EQ(apply.confirm, Confirm::kOnce);
  EXPECT_EQ(apply.owner, Owner::kArgocd);
  EXPECT_EQ(apply.on_failure, OnFailure::kStop);
  EXPECT_EQ(apply.notes, "call somebody");
  EXPECT_EQ(plan->find("crds")->timeout, std::chrono::minutes(10));
  EXPECT_EQ(plan->find("nothing"), nullptr);
}

TEST_F(Load, NeedsOfClusterStages_IncludeTheStageThatGivesTheKubeconfig) {
  auto plan = fixture_.load();
  const Stage& apply = *plan->find("apply");
  ASSERT_EQ(apply.needs.size(), 2u);
  EXPECT_EQ(apply.needs[0].stage, "crds");
  EXPECT_FALSE(apply.needs[0].implied);
  EXPECT_EQ(apply.needs[1].stage, "cluster");
  EXPECT_TRUE(apply.needs[1].implied);
}

TEST_F(Load, AnEnvironmentThatReplacesTheType_ReplacesItsOptionsToo) {
  auto plan = fixture_.load();
  const Stage& cluster = *plan->find("cluster");
  EXPECT_EQ(cluster.uses, "cluster.make");
  EXPECT_EQ(resolve_options(cluster, *plan, {}).canonical(), "{\"nodes\":2}");
  EXPECT_EQ(cluster.with.place.to_string(), "/plan/plan.yaml:12:45");
}

TEST_F(Load, AnotherEnvironment_HasItsOwnValuesAndQuestion) {
  fixture_.request.environment = "production";
  EXPECT_FALSE(fixture_.load().has_value());
  EXPECT_EQ(
      fixture_.findings(),
      "plan.yaml:17:44: stage 'cluster' (tool.make) has no output 'kubeconfig' [known: result]\n");
  fixture_.diagnostics = {};
  const std::string wrong = "uses: tool.make\n      with: {text: made elsewhere}";
  std::string& text = fixture_.files.contents["/plan/plan.yaml"];
  text.replace(text.find(wrong), wrong.size(), "uses: cluster.make");
  auto plan = fixture_.load();
  ASSERT_TRUE(plan.has_value()) << fixture_.findings();
  EXPECT_TRUE(plan->confirm);
  EXPECT_EQ(plan->confirm_message, "Change production?");
  EXPECT_EQ(plan->vars.at("size").value.integer, 5);
  EXPECT_FALSE(is_wanted(*plan->find("apply"), *plan, {}));
}

TEST(LoadConfirm, OfAnEnvironment_MayComeFromAVariable) {
  const std::string plan =
      "  environments: {e: {confirm: \"${{ vars.ask }}\"}}\n"
      "  stages: [{name: a, uses: tool.make}]\n";
  for (const char* ask : {"Really", "false", "true"}) {
    PlanFixture fixture(plan_with("  vars: {ask: " + std::string(ask) + "}\n" + plan));
    auto loaded = fixture.load();
    ASSERT_TRUE(loaded.has_value()) << fixture.findings();
    EXPECT_EQ(fixture.findings(), "") << "the variable is used";
    EXPECT_EQ(loaded->confirm, std::string(ask) != "false") << ask;
    EXPECT_EQ(loaded->confirm_message, std::string(ask) == "Really" ? ask : "") << ask;
  }
}

TEST_F(Load, UnknownEnvironment_IsAskedBackAndNothingElse) {
  fixture_.request.environment = "productoin";
  EXPECT_FALSE(fixture_.load().has_value());
  EXPECT_EQ(fixture_.findings(),
            "--env productoin: --env names the unknown environment 'productoin' [did you mean "
            "'production'?]\n");
}

TEST_F(Load, OptionsAreResolvedWithDefaultsAndAbsolutePaths) {
  auto plan = fixture_.load();
  EXPECT_EQ(resolve_options(*plan->find("crds"), *plan, {}).canonical(),
            "{\"chart\":{\"name\":\"argo-cd\",\"repo\":\"https://"
            "example.com\",\"version\":\"10.1.1\"},\"count\":3,"
            "\"file\":\"/plan/crds/a.yaml\",\"flag\":true,\"wait\":\"90s\"}");
  EXPECT_TRUE(is_wanted(*plan->find("apply"), *plan, {}));
  EXPECT_TRUE(is_wanted(*plan->find("crds"), *plan, {}));
}

TEST_F(Load, TheClusterIsKnownOnceItsStageHasRun) {
  auto plan = fixture_.load();
  EXPECT_EQ(resolve_cluster(*plan, {})->canonical(),
            "{\"context\":\"admin\",\"kubeconfig\":{\"unknown\":\"cluster.kubeconfig\"}}");
  Outputs outputs;
  outputs["cluster"]["kubeconfig"] = "/state/kubeconfig";
  EXPECT_EQ(resolve_cluster(*plan, outputs)->canonical(),
            "{\"context\":\"admin\",\"kubeconfig\":\"/state/kubeconfig\"}");
}

std::string header_findings(const std::string& text) {
  PlanFixture fixture(text);
  fixture.load();
  return fixture.findings();
}

TEST(LoadHeader, IsChecked) {
  const std::string rest = "spec: {}\n";
  const std::string good = "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: a}\n";
  EXPECT_EQ(header_findings(good + rest),
            "plan.yaml:4:7: warning: the plan has no stages: there is nothing to do\n");
  EXPECT_EQ(header_findings("apiVersion: v1\nkind: Pod\nmetadata: {name: A}\n" + rest),
            "plan.yaml:1:13: apiVersion must be blackstart.dev/v1alpha1\n"
            "plan.yaml:2:7: kind must be Plan\n"
            "plan.yaml:3:18: the plan's name must be a DNS label [lower-case letters, digits and "
            "'-', at most 63 characters]\n");
  EXPECT_EQ(
      header_findings("kind: Plan\nmetadata: {nam: a}\nspce: {}\n"),
      "plan.yaml:1:1: 'apiVersion' is missing in the plan [apiVersion: blackstart.dev/v1alpha1]\n"
      "plan.yaml:1:1: 'spec' is missing in the plan [spec: what the plan holds]\n"
      "plan.yaml:2:11: 'name' is missing in metadata [name: a DNS label]\n"
      "plan.yaml:2:12: unknown key 'nam' in metadata [did you mean 'name'?]\n"
      "plan.yaml:3:1: unknown key 'spce' in the plan [did you mean 'spec'?]\n");
  EXPECT_EQ(header_findings("apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nspec: []\n"),
            "plan.yaml:1:1: 'metadata' is missing in the plan [write metadata: {name: my-plan}]\n"
            "plan.yaml:3:7: 'spec' must be a map, not a list\n");
  EXPECT_EQ(header_findings(""),
            "plan.yaml:1:1: the file is empty [start with apiVersion: blackstart.dev/v1alpha1]\n");
  EXPECT_EQ(header_findings("- a\n"),
            "plan.yaml:1:1: a plan is a map [start with apiVersion: blackstart.dev/v1alpha1]\n");
  EXPECT_EQ(header_findings(good + rest + "---\na: 1\n"),
            "plan.yaml:6:1: a plan is one YAML document; this is a second one [put the stages into "
            "one list, or use include]\n");
}

TEST(LoadHeader, AMissingFileIsSaidSo) {
  PlanFixture fixture;
  fixture.request.file = "/plan/other.yaml";
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings(), "other.yaml: cannot read other.yaml: No such file or directory\n");
}

}  // namespace
}  // namespace blackstart::plan
