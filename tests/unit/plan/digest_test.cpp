#include <gtest/gtest.h>

#include "orchestrator/plan/conform.h"
#include "tests/unit/plan/plan_fixture.h"

namespace blackstart::plan {
namespace {

/// The digest of the stage's inputs in a plan with `with`, after `change` to the files.
std::string digest_of(const std::string& with, const std::map<std::string, std::string>& files,
                      const std::string& folder = "/plan", const Outputs& outputs = {}) {
  PlanFixture fixture;
  fixture.files.contents.clear();
  fixture.request.file = folder + "/plan.yaml";
  fixture.files.contents[fixture.request.file] = plan_with(
      "  stages:\n    - {name: c, uses: cluster.make}\n    - {name: s, uses: tool.make, with: " +
      with + "}\n");
  for (const auto& [name, content] : files) fixture.files.contents[folder + "/" + name] = content;
  auto plan = fixture.load();
  if (!plan) return fixture.findings();
  const Stage& stage = *plan->find("s");
  return input_digest(resolve_options(stage, *plan, outputs), *stage.schema, fixture.files);
}

TEST(InputDigest, DependsOnMeaningAndNotOnSpelling) {
  EXPECT_EQ(digest_of("{text: a, count: 16}", {}), digest_of("{count: 0x10, \"text\": 'a'}", {}));
  EXPECT_EQ(digest_of("{wait: 90s}", {}), digest_of("{}", {})) << "a default written out";
  EXPECT_NE(digest_of("{text: a}", {}), digest_of("{text: b}", {}));
  EXPECT_NE(digest_of("{labels: {a: '1'}}", {}), digest_of("{labels: {a: 1}}", {}));
  EXPECT_EQ(digest_of("{text: a}", {}).size(), 64u);
}

TEST(InputDigest, CoversTheContentOfFilesAndFolders) {
  std::string first = digest_of("{file: d}", {{"d/a", "1"}, {"d/b/c", "2"}});
  EXPECT_EQ(first, digest_of("{file: d}", {{"d/a", "1"}, {"d/b/c", "2"}, {"other", "3"}}));
  EXPECT_EQ(first, digest_of("{file: d/}", {{"d/a", "1"}, {"d/b/c", "2"}}));
  EXPECT_NE(first, digest_of("{file: d}", {{"d/a", "1"}, {"d/b/c", "3"}}));
  EXPECT_NE(first, digest_of("{file: d}", {{"d/a", "1"}, {"d/b/x", "2"}}));
  EXPECT_NE(first, digest_of("{file: d}", {{"d/a", "1"}, {"d/c", "2"}}));
  EXPECT_NE(first, digest_of("{file: d}", {{"d/a", "1"}, {"d/b/c", "2"}, {"d/e", ""}}));
}

TEST(InputDigest, LeavesGitFoldersOut) {
  EXPECT_EQ(digest_of("{file: d}", {{"d/a", "1"}}),
            digest_of("{file: d}", {{"d/a", "1"}, {"d/.git/index", "x"}}));
}

TEST(InputDigest, CoversNestedPaths) {
  EXPECT_NE(digest_of("{files: [a, b]}", {{"a", "1"}, {"b", "2"}}),
            digest_of("{files: [a, b]}", {{"a", "1"}, {"b", "3"}}));
  EXPECT_NE(digest_of("{out: a}", {}), digest_of("{out: a}", {{"a", ""}}));
}

TEST(InputDigest, IsTheSameWhereverThePlanLies) {
  EXPECT_EQ(digest_of("{file: d/a}", {{"d/a", "1"}}),
            digest_of("{file: d/a}", {{"d/a", "1"}}, "/somewhere/else"));
}

TEST(InputDigest, UnknownOutputsCountAsThemselves) {
  const std::string with = "{text: \"${{ stages.c.outputs.endpoint }}\"}";
  Outputs outputs;
  outputs["c"]["endpoint"] = "https://a";
  EXPECT_EQ(digest_of(with, {}), digest_of(with, {}));
  EXPECT_NE(digest_of(with, {}), digest_of(with, {}, "/plan", outputs));
}

std::string plan_digest(const std::string& spec, const std::string& environment = {},
                        const std::string& included = {}, const std::string& variable = {}) {
  PlanFixture fixture(plan_with(spec));
  fixture.request.environment = environment;
  fixture.environment.variables["X"] = variable;
  const std::string head = "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nspec:\n";
  fixture.files.contents["/plan/more.yaml"] = head + included;
  auto plan = fixture.load();
  return plan ? plan->digest : fixture.findings();
}

TEST(PlanDigest, CoversFilesEnvironmentAndVariables) {
  const std::string spec =
      "  include: [more.yaml]\n  defaultEnvironment: a\n  vars: {x: {type: string, sensitive: "
      "true, fromEnv: X}}\n"
      "  environments: {a: {}, b: {}}\n  stages:\n    - {name: s, uses: tool.make, with: {text: "
      "\"${{ vars.x }}\"}}\n";
  std::string digest = plan_digest(spec, "", "  stages: []\n", "v");
  EXPECT_EQ(digest.size(), 64u) << digest;
  EXPECT_EQ(digest, plan_digest(spec, "a", "  stages: []\n", "v"));
  EXPECT_NE(digest, plan_digest(spec, "b", "  stages: []\n", "v"));
  EXPECT_NE(digest, plan_digest(spec, "", "  stages: []\n", "w"));
  EXPECT_NE(digest, plan_digest(spec, "", "  stages: [] \n", "v"));
  EXPECT_NE(digest, plan_digest(spec + "# comment\n", "", "  stages: []\n", "v"));
}

TEST(Resolve, OutputsArriveTypedAndSecretOnesTainted) {
  PlanFixture fixture(
      plan_with("  stages:\n    - {name: c, uses: cluster.make}\n    - {name: s, uses: tool.make, "
                "when: stages.c.outputs.nodes == 2, "
                "with: {count: \"${{ stages.c.outputs.nodes }}\", text: \"t ${{ "
                "stages.c.outputs.token }}\"}}\n"));
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value()) << fixture.findings();
  const Stage& stage = *plan->find("s");
  EXPECT_EQ(stage.needs.at(0).stage, "c");
  EXPECT_THROW(is_wanted(stage, *plan, {}), NotKnownYet);
  Outputs outputs;
  outputs["c"]["nodes"] = 2;
  outputs["c"]["token"] = "secret";
  EXPECT_TRUE(is_wanted(stage, *plan, outputs));
  Value options = resolve_options(stage, *plan, outputs);
  EXPECT_EQ(options.find("count")->as_integer(), 2);
  EXPECT_FALSE(options.find("count")->sensitive);
  EXPECT_EQ(options.find("text")->as_text(), "t secret");
  EXPECT_TRUE(options.find("text")->sensitive);
  outputs["c"]["nodes"] = "two";
  try {
    resolve_options(stage, *plan, outputs);
    FAIL() << "a text was taken for a number";
  } catch (const Error& error) {
    EXPECT_EQ(error.place().to_string() + ": " + error.summary(),
              "/plan/plan.yaml:7:83: 'count' must be an integer, not a string");
  }
}

TEST(Resolve, OptionsMarkedSecret_AreTaintedHoweverTheyAreGiven) {
  PlanFixture fixture(
      plan_with("  stages:\n    - {name: s, uses: tool.make, with: {password: plain}}\n"));
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(resolve_options(plan->stages[0], *plan, {}).find("password")->sensitive);
}

TEST(Schema, MistakesInTheTableAreFound) {
  StageSchema schema{.name = "bad",
                     .options = {option("e", OptionType::kEnum), option("l", OptionType::kList),
                                 with_default(option("n", OptionType::kInteger), "many"),
                                 with_default(option("d", OptionType::kDuration), "90")},
                     .one_of = {{"e", "gone"}}};
  EXPECT_EQ(check_schema(schema),
            (std::vector<std::string>{"bad: e: no choices", "bad: l: a list needs one field",
                                      "bad: n: the default does not fit",
                                      "bad: d: the default does not fit",
                                      "bad: one_of names 'gone', which is no option"}));
  TestCatalog catalog;
  for (const std::string& name : catalog.names())
    EXPECT_TRUE(check_schema(*catalog.find_schema(name)).empty()) << name;
}

}  // namespace
}  // namespace blackstart::plan
