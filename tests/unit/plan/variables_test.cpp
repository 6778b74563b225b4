#include <gtest/gtest.h>

#include "tests/unit/plan/plan_fixture.h"

namespace blackstart::plan {
namespace {

const char* const kStage =
    "  stages:\n    - {name: s, uses: tool.make, with: {any: \"${{ vars.x }}\"}}\n";

/// vars.x as canonical JSON, or the findings.
std::string value_of_x(PlanFixture& fixture) {
  auto plan = fixture.load();
  return plan ? plan->vars.at("x").value.canonical() : fixture.findings();
}

struct Given {
  bool option, environment, process, file;
};

std::string chosen(Given given) {
  PlanFixture fixture(
      plan_with(std::string("  vars:\n    x: {type: string, default: default, fromEnv: X, "
                            "fromFile: secrets/x}\n  environments:\n    e: ") +
                (given.environment ? "{vars: {x: environment}}" : "{}") + "\n" + kStage));
  if (given.option) fixture.request.vars = {{"x", "option"}};
  if (given.process) fixture.environment.variables["X"] = "process";
  if (given.file) fixture.files.contents["/plan/secrets/x"] = "file\n";
  return value_of_x(fixture);
}

TEST(Variables, PrecedenceIsOptionEnvironmentProcessFileDefault) {
  for (int bits = 0; bits < 16; ++bits) {
    Given given{(bits & 8) != 0, (bits & 4) != 0, (bits & 2) != 0, (bits & 1) != 0};
    const char* expected = given.option        ? "\"option\""
                           : given.environment ? "\"environment\""
                           : given.process     ? "\"process\""
                           : given.file        ? "\"file\""
                                               : "\"default\"";
    EXPECT_EQ(chosen(given), expected) << bits;
  }
}

std::string given(const std::string& declaration, const std::string& text) {
  PlanFixture fixture(plan_with("  vars:\n    x: " + declaration + "\n" + kStage));
  fixture.request.vars = {{"x", text}};
  return value_of_x(fixture);
}

TEST(Variables, TextFromOutside_IsReadAsTheDeclaredType) {
  EXPECT_EQ(given("{type: string}", "1.10"), "\"1.10\"");
  EXPECT_EQ(given("{type: string}", "${{ vars.y }}"), "\"${{ vars.y }}\"");
  EXPECT_EQ(given("{type: integer}", "0x10"), "16");
  EXPECT_EQ(given("{type: number}", "1.5"), "1.5E0");
  EXPECT_EQ(given("{type: number}", "2"), "2");
  EXPECT_EQ(given("{type: boolean}", "on"), "true");
  EXPECT_EQ(given("{type: list}", "[a, 1]"), "[\"a\",1]");
  EXPECT_EQ(given("{type: map}", "{a: {b: 1}}"), "{\"a\":{\"b\":1}}");
  EXPECT_EQ(given("{type: any}", "yes"), "true");
  EXPECT_EQ(given("short", "1"), "\"1\"");
  EXPECT_EQ(given("3", "4"), "4");
  EXPECT_EQ(given("[a]", "[b]"), "[\"b\"]");
}

TEST(Variables, TextOfTheWrongType_IsRefusedWithTheDeclarationsPlace) {
  const std::string tail = " [the variable is declared at plan.yaml:6:5]\n";
  EXPECT_EQ(given("{type: integer}", "three"),
            "--var x: the value given for variable 'x' is no integer" + tail);
  EXPECT_EQ(given("{type: integer}", "1.5"),
            "--var x: the value given for variable 'x' is no integer" + tail);
  EXPECT_EQ(given("{type: boolean}", "1"),
            "--var x: the value given for variable 'x' is no boolean" + tail);
  EXPECT_EQ(given("{type: list}", "[a"),
            "--var x: the value given for variable 'x' is no list" + tail);
  EXPECT_EQ(given("{type: map}", ""), "--var x: the value given for variable 'x' is no map" + tail);
  EXPECT_EQ(given("true", "maybe"),
            "--var x: the value given for variable 'x' is no boolean" + tail);
}

TEST(Variables, OptionsThatFitNoDeclaration_AreErrors) {
  PlanFixture fixture(plan_with(std::string("  vars: {x: 1, version: a}\n") + kStage));
  fixture.request.vars = {{"verson", "1"}, {"x", "2"}, {"x", "3"}};
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings(),
            "--var verson: --var gives 'verson', which the plan does not declare [did you mean "
            "'version'?]\n"
            "--var x: --var gives 'x' twice\n"
            "plan.yaml:5:16: warning: variable 'version' is never used\n");
}

std::string declared(const std::string& value) {
  PlanFixture fixture(plan_with("  vars:\n    other: [1, {k: v}]\n    name: web\n    x: " + value +
                                "\n  environments: {prod: {}}\n" + kStage +
                                "      \n    - {name: t, uses: tool.make, with: {any: [\"${{ "
                                "vars.other }}\", \"${{ vars.name }}\"]}}\n"));
  return value_of_x(fixture);
}

TEST(Variables, MayReferToEachOtherAndToTheEnvironment) {
  EXPECT_EQ(declared("${{ vars.other }}"), "[1,{\"k\":\"v\"}]");
  EXPECT_EQ(declared("${{ vars.other[1].k }}-${{ env.name }}-${{ vars.name }}"), "\"v-prod-web\"");
  EXPECT_EQ(declared("{a: {b: [\"${{ vars.name }}\"]}}"), "{\"a\":{\"b\":[\"web\"]}}");
  EXPECT_EQ(declared("{type: list, default: \"${{ vars.other }}\"}"), "[1,{\"k\":\"v\"}]");
  EXPECT_EQ(declared("{type: string, default: \"${{ vars.other }}\"}"),
            "plan.yaml:8:32: variable 'x' must be of type string, not list\n");
  EXPECT_EQ(declared("{type: map, default: {type: nginx}}"), "{\"type\":\"nginx\"}");
  EXPECT_EQ(declared("{kind: nginx, default: 1}"), "{\"default\":1,\"kind\":\"nginx\"}");
}

TEST(Variables, LongChains_AreBoundedAndShortOnesFine) {
  std::string vars = "  vars:\n    x: ${{ vars.v0 }}\n";
  for (int i = 0; i < 5000; ++i)
    vars += "    v" + std::to_string(i) + ": ${{ vars.v" + std::to_string(i + 1) + " }}\n";
  PlanFixture fixture(plan_with(vars + "    v5000: end\n" + kStage));
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_NE(fixture.findings().find("variables refer to each other more than 64 deep"),
            std::string::npos);
}

TEST(Variables, ValuesThatMultiply_AreBounded) {
  std::string vars = "  vars:\n    x: ${{ vars.v29 }}\n    v0: [aaaaaaaa, b, c, d]\n";
  for (int i = 1; i < 30; ++i) {
    std::string before = "\"${{ vars.v" + std::to_string(i - 1) + " }}\"";
    vars += "    v" + std::to_string(i) + ": [" + before + ", " + before + "]\n";
  }
  PlanFixture fixture(plan_with(vars + kStage));
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_NE(fixture.findings().find("variables' values are larger than"), std::string::npos)
      << fixture.findings().substr(0, 400);
}

TEST(Variables, FileContent_LosesOneLineBreakOnly) {
  PlanFixture fixture(
      plan_with(std::string("  vars:\n    x: {type: string, fromFile: secrets/x}\n") + kStage));
  fixture.files.contents["/plan/secrets/x"] = " a\n\n";
  EXPECT_EQ(value_of_x(fixture), "\" a\\n\"");
  fixture.files.contents["/plan/secrets/x"] = "a\r\n";
  EXPECT_EQ(value_of_x(fixture), "\"a\"");
}

TEST(Variables, SensitiveOnes_TaintAndNeverShow) {
  PlanFixture fixture(plan_with(
      std::string("  vars:\n    x: {type: string, sensitive: true, fromEnv: X}\n") + kStage +
      "    - {name: t, uses: tool.make, with: {mode: \"${{ vars.x }}\", file: \"${{ vars.x }}\", "
      "count: \"${{ vars.x }}\"}}\n"));
  fixture.environment.variables["X"] = "hunter2";
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings().find("hunter2"), std::string::npos);
  EXPECT_EQ(fixture.diagnostics.error_count(), 3u);
}

TEST(Variables, WithoutValuesOnACiMachine_AreUnknownAndWarnedAbout) {
  PlanFixture fixture(
      plan_with(std::string("  vars:\n    x: {type: string, required: true}\n") + kStage));
  fixture.request.vars_required = false;
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(fixture.findings(),
            "plan.yaml:6:5: warning: variable 'x' has no value [give --var x=VALUE]\n");
  EXPECT_EQ(resolve_options(plan->stages[0], *plan, {}).first_unknown()->text, "vars.x");
}

TEST(Variables, WithoutAValue_AreNullOnlyWhereThePlanSaysSo) {
  for (const char* more : {"required: false", "default: null"}) {
    PlanFixture optional(
        plan_with(std::string("  vars:\n    x: {type: string, ") + more + "}\n" + kStage));
    EXPECT_TRUE(optional.load().has_value()) << optional.findings();
  }
  PlanFixture forgotten(plan_with(std::string("  vars:\n    x: {type: string}\n") + kStage));
  EXPECT_FALSE(forgotten.load().has_value());
  EXPECT_EQ(forgotten.findings(),
            "plan.yaml:6:5: variable 'x' has no value [give --var x=VALUE]\n");
}

TEST(Variables, AnEnvironmentsDeclaration_ReplacesThePlansAndStaysSensitive) {
  PlanFixture fixture(
      plan_with(std::string("  vars:\n    x: {type: string, sensitive: true, default: a}\n") +
                "  environments:\n    e: {vars: {x: {type: integer, fromEnv: X}}}\n" + kStage));
  fixture.environment.variables["X"] = "7";
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value()) << fixture.findings();
  EXPECT_EQ(plan->vars.at("x").value.canonical(), "7");
  EXPECT_TRUE(plan->vars.at("x").sensitive);
}

TEST(Variables, PathsAreRelativeToWhereTheirTextStands) {
  PlanFixture fixture(plan_with("  include: [sub/more.yaml]\n  vars: {x: a.txt}\n"));
  fixture.files.contents["/plan/sub/more.yaml"] =
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nspec:\n  vars: {y: b.txt}\n  stages:\n"
      "    - {name: s, uses: tool.make, with: {files: [\"${{ vars.x }}\", \"${{ vars.y }}\", "
      "c.txt]}}\n";
  fixture.files.contents["/plan/a.txt"] = fixture.files.contents["/plan/sub/b.txt"] =
      fixture.files.contents["/plan/sub/c.txt"] = "";
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value()) << fixture.findings();
  EXPECT_EQ(resolve_options(plan->stages[0], *plan, {}).find("files")->canonical(),
            "[\"/plan/a.txt\",\"/plan/sub/b.txt\",\"/plan/sub/c.txt\"]");
  fixture.files.contents["/plan/given.txt"] = "";
  fixture.request.vars = {{"y", "given.txt"}};
  plan = fixture.load();
  ASSERT_TRUE(plan.has_value()) << fixture.findings();
  EXPECT_EQ(resolve_options(plan->stages[0], *plan, {}).find("files")->items[1].text,
            "/plan/given.txt");
}

}  // namespace
}  // namespace blackstart::plan
