#include <gtest/gtest.h>

#include "orchestrator/plan/overlay.h"
#include "tests/unit/plan/plan_fixture.h"

namespace blackstart::plan {
namespace {

std::string merged(const std::string& base_text, const std::string& patch_text) {
  Diagnostics problems;
  yaml::Node base = yaml::parse(base_text, "base", {}, problems).at(0);
  merge_patch(base, yaml::parse(patch_text, "patch", {}, problems).at(0));
  return Value::of(yaml::to_json(base), {}).canonical();
}

TEST(Overlay, MapsMergeDeeply_ScalarsAndListsReplace_NullRemoves) {
  EXPECT_EQ(merged("{a: 1, b: {c: 1, d: 2}}", "{b: {d: 3, e: 4}}"),
            "{\"a\":1,\"b\":{\"c\":1,\"d\":3,\"e\":4}}");
  EXPECT_EQ(merged("{a: [1, 2]}", "{a: [3]}"), "{\"a\":[3]}");
  EXPECT_EQ(merged("{a: 1, b: 2}", "{a: null}"), "{\"b\":2}");
  EXPECT_EQ(merged("{a: {b: 1, c: 2}}", "{a: {b: ~}}"), "{\"a\":{\"c\":2}}");
  EXPECT_EQ(merged("{a: 1}", "{b: null}"), "{\"a\":1}");
  EXPECT_EQ(merged("{a: text}", "{a: {b: 1, c: null}}"), "{\"a\":{\"b\":1}}");
  EXPECT_EQ(merged("{}", "{a: {b: 1, c: null, d: {e: ~}}}"), "{\"a\":{\"b\":1,\"d\":{}}}");
  EXPECT_EQ(merged("{a: {b: 1}}", "{a: text}"), "{\"a\":\"text\"}");
  EXPECT_EQ(merged("{a: {b: 1}}", "{a: {}}"), "{\"a\":{\"b\":1}}");
}

TEST(Overlay, PatchedValues_KeepThePatchsPlaces) {
  Diagnostics problems;
  yaml::Node base = yaml::parse("a: 1\nb: {c: 2}\n", "base", {}, problems).at(0);
  merge_patch(base, yaml::parse("b: {c: 3, d: 4}\n", "patch", {}, problems).at(0));
  EXPECT_EQ(base.find("a")->place.to_string(), "base:1:4");
  EXPECT_EQ(base.find("b")->find("c")->place.to_string(), "patch:1:8");
  EXPECT_EQ(base.find("b")->find("d")->place.to_string(), "patch:1:14");
}

std::string options_in(const std::string& patch) {
  PlanFixture fixture(plan_with(
      "  environments:\n    e:\n      stages:\n        s: " + patch +
      "\n  stages:\n    - {name: s, uses: tool.make, with: {text: a, labels: {x: 1, y: 2}}}\n"));
  auto plan = fixture.load();
  if (!plan) return fixture.findings();
  return plan->stages.empty() ? "removed" : resolve_options(plan->stages[0], *plan, {}).canonical();
}

TEST(Overlay, OfAStage) {
  EXPECT_EQ(options_in("{with: {text: b}}"),
            R"({"flag":true,"labels":{"true":2,"x":1},"text":"b","wait":"90s"})");
  EXPECT_EQ(options_in("{with: {labels: {x: null, z: 3}}}"),
            R"({"flag":true,"labels":{"true":2,"z":3},"text":"a","wait":"90s"})");
  EXPECT_EQ(options_in("{with: null}"), R"({"flag":true,"wait":"90s"})");
  EXPECT_EQ(options_in("{uses: cluster.make, with: {nodes: 1}}"), R"({"nodes":1})");
  EXPECT_EQ(options_in("null"), "removed");
  EXPECT_EQ(
      options_in("{uses: cluster.make}"),
      "plan.yaml:10:41: unknown key 'text' in 'with' of stage 's' (cluster.make) [known: nodes]\n"
      "plan.yaml:10:50: unknown key 'labels' in 'with' of stage 's' (cluster.make) [known: "
      "nodes]\n");
}

const std::string kHead = "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nspec:\n";

TEST(Include, ComposesFiles_EachRelativeToItsOwn) {
  PlanFixture fixture(
      plan_with("  include: [parts/a.yaml]\n  stages:\n    - {name: last, uses: tool.make, needs: "
                "[a, b]}\n"));
  fixture.files.contents["/plan/parts/a.yaml"] =
      kHead +
      "  include: [b/b.yaml]\n  vars: {x: 1}\n  stages:\n    - {name: a, uses: tool.make, with: "
      "{file: here.txt}}\n";
  fixture.files.contents["/plan/parts/b/b.yaml"] =
      kHead + "  stages:\n    - {name: b, uses: tool.make, with: {count: \"${{ vars.x }}\"}}\n";
  fixture.files.contents["/plan/parts/here.txt"] = "";
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value()) << fixture.findings();
  ASSERT_EQ(plan->stages.size(), 3u);
  EXPECT_EQ(plan->stages[0].place.to_string(), "/plan/parts/b/b.yaml:5:7");
  EXPECT_EQ(plan->stages[1].place.to_string(), "/plan/parts/a.yaml:7:7");
  EXPECT_EQ(resolve_options(plan->stages[1], *plan, {}).find("file")->text, "/plan/parts/here.txt");
}

TEST(Include, NamesUsedTwice_AreShownWithBothPlaces) {
  PlanFixture fixture(
      plan_with("  include: [a.yaml]\n  vars: {v: 1}\n  stages:\n    - {name: s, uses: tool.make, "
                "with: {any: \"${{ vars.v }}\"}}\n"));
  fixture.files.contents["/plan/a.yaml"] = kHead +
                                           "  vars: {v: 2}\n  stages:\n    - {name: s, uses: "
                                           "tool.make, with: {any: \"${{ vars.v }}\"}}\n";
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings(),
            "plan.yaml:6:10: duplicate variable 'v', first at a.yaml:4:10\n"
            "plan.yaml:8:14: duplicate stage 's', first at a.yaml:6:14\n");
}

TEST(Include, MistakesKeepTheFileTheyStandIn) {
  PlanFixture fixture(plan_with("  include: [a.yaml, ./a.yaml, \"${{ vars.x }}.yaml\"]\n"));
  fixture.files.contents["/plan/a.yaml"] =
      kHead + "  environments: {}\n  stages:\n    - {name: s, uses: tool.mke}\n";
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings(),
            "a.yaml:4:3: unknown key 'environments' in the spec of an included file [known: vars, "
            "include, stages]\n"
            "a.yaml:6:23: unknown stage type 'tool.mke' [did you mean 'tool.make'?]\n"
            "plan.yaml:5:21: the file is included twice, first at plan.yaml:5:13\n"
            "plan.yaml:5:31: a name in include cannot hold ${{ }}\n");
}

TEST(Include, CirclesAreShownAndDepthIsBounded) {
  PlanFixture fixture(plan_with("  include: [a.yaml]\n"));
  fixture.files.contents["/plan/a.yaml"] = kHead + "  include: [b.yaml]\n";
  fixture.files.contents["/plan/b.yaml"] = kHead + "  include: [a.yaml]\n";
  fixture.load();
  EXPECT_EQ(fixture.findings(),
            "b.yaml:4:13: files include each other in a circle: a.yaml -> b.yaml -> a.yaml\n");

  PlanFixture deep(plan_with("  include: [f0.yaml]\n"));
  for (int i = 0; i < 12; ++i) {
    deep.files.contents["/plan/f" + std::to_string(i) + ".yaml"] =
        kHead + "  include: [f" + std::to_string(i + 1) + ".yaml]\n";
  }
  deep.load();
  EXPECT_EQ(deep.findings(), "f7.yaml:4:13: include goes more than 8 files deep\n");
}

TEST(Include, AFileThatCannotBeRead_EndsTheChecksThatItsNamesWouldDisturb) {
  PlanFixture fixture(plan_with(
      "  include: [a.yaml]\n  stages:\n    - {name: s, uses: tool.make, needs: [from-a]}\n"));
  fixture.files.contents["/plan/a.yaml"] = kHead + "  stages: [\n";
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings(),
            "a.yaml:5:1: a value is missing here [check the indentation, quotes and brackets]\n");
}

}  // namespace
}  // namespace blackstart::plan
