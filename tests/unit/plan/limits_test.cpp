// Large and hostile plans: bounded, and without quadratic work.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/plan/plan_fixture.h"

namespace blackstart::plan {
namespace {

/// A plan of `count` stages over as many files as the size limit of one asks for.
void write_stages(PlanFixture& fixture, int count, const std::string& (*needs)(int, std::string&)) {
  constexpr int kPerFile = 5000;
  std::string includes = "  include: [";
  for (int first = 0; first < count; first += kPerFile) {
    std::string text = "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nspec:\n  stages:\n";
    for (int i = first; i < std::min(count, first + kPerFile); ++i) {
      std::string buffer;
      text += "  - name: s" + std::to_string(i) + "\n    uses: tool.make\n    needs: [" +
              needs(i, buffer) + "]\n    with: {text: \"v-${{ vars.version }}\"}\n";
    }
    std::string name = "f" + std::to_string(first) + ".yaml";
    fixture.files.contents["/plan/" + name] = text;
    includes += (first == 0 ? "" : ", ") + name;
  }
  fixture.files.contents["/plan/plan.yaml"] =
      plan_with("  vars: {version: 1.2.3}\n" + includes + "]\n");
}

const std::string& after_the_last(int i, std::string& buffer) {
  buffer = i == 0 ? "" : "s" + std::to_string(i - 1);
  return buffer;
}
const std::string& misspelt(int i, std::string& buffer) {
  buffer = "t" + std::to_string(i);
  return buffer;
}
const std::string& in_a_ring(int i, std::string& buffer) {
  buffer = "s" + std::to_string((i + 1) % 20'000);
  return buffer;
}

TEST(PlanLimits, TwentyThousandStagesInAChain_AreRead) {
  PlanFixture fixture;
  write_stages(fixture, 20'000, after_the_last);
  auto plan = fixture.load();
  ASSERT_TRUE(plan.has_value()) << fixture.findings().substr(0, 500);
  EXPECT_EQ(plan->stages.size(), 20'000u);
  EXPECT_EQ(plan->find("s19999")->needs.at(0).stage, "s19998");
}

TEST(PlanLimits, MoreStages_AreRefusedOnce) {
  PlanFixture fixture;
  write_stages(fixture, 20'003, after_the_last);
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.findings().find("a plan may have at most 20000 stages"),
            fixture.findings().rfind("a plan may have at most 20000 stages"));
  EXPECT_NE(fixture.findings().find("a plan may have at most 20000 stages"), std::string::npos);
}

TEST(PlanLimits, TwentyThousandMisspeltNeeds_AreAllReported) {
  PlanFixture fixture;
  write_stages(fixture, 20'000, misspelt);
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.diagnostics.error_count(), 20'000u);
  EXPECT_TRUE(
      fixture.findings().starts_with("f0.yaml:7:13: 'needs' names the unknown stage 't0'\n"));
}

TEST(PlanLimits, ARingOfTwentyThousand_IsFoundWithoutRecursion) {
  PlanFixture fixture;
  write_stages(fixture, 20'000, in_a_ring);
  EXPECT_FALSE(fixture.load().has_value());
  EXPECT_EQ(fixture.diagnostics.error_count(), 1u);
  EXPECT_TRUE(fixture.findings().starts_with(
      "f0.yaml:7:13: stages need each other in a circle: s0 -> s1 -> "));
}

TEST(PlanLimits, AFileThatIsTooLarge_IsRefused) {
  PlanFixture fixture(plan_with("# " + std::string(1 << 20, 'x') + "\n"));
  EXPECT_FALSE(fixture.load().has_value());
}

const char* const kGood = R"(
  defaultEnvironment: e
  vars: {name: web, n: 3, list: [a, {b: c}], map: {k: v}, secret: {type: string, sensitive: true, default: p}}
  environments:
    e: {confirm: Sure, vars: {name: x}, stages: {b: {with: {text: "${{ vars.name }}"}, tags: null}}}
  cluster: {kubeconfig: "${{ stages.a.outputs.kubeconfig }}", context: "${{ vars.name }}"}
  stages:
    - {name: a, uses: cluster.make, with: {nodes: "${{ vars.n }}"}}
    - name: b
      uses: tool.make
      needs: [a]
      when: vars.n == 3 && (env.name != 'x' || !false)
      timeout: 5m
      retry: {attempts: 3, backoff: 1s, maxBackoff: 1m}
      tags: [x]
      with:
        text: a ${{ vars.map['k'] }} ${{ vars.list[1].b }}
        password: ${{ vars.secret }}
        chart: &chart {name: web, version: '1'}
        sources: [*chart, {<<: *chart, version: '2'}]
        any: |
          ${{ stages.a.outputs.endpoint }}
    - {name: c, uses: kube.apply, confirm: once, owner: argocd, with: {manifest: {a: [1, ~, yes]}}}
)";

/// Cuts, doubles, swaps and sprinkles: what typing, merging and bad disks do to a file.
std::string mutate(std::string text, std::mt19937& random) {
  static const char* const kPieces[] = {"- ",     ":",  ": ",   "{",    "}",     "[",      "]",
                                        ",",      "'",  "\"",   "${{",  "}}",    "&a ",    "*a",
                                        "\n",     "\t", "null", "#",    "|",     "!!str ", "\xFF",
                                        "stages", ".",  "==",   "<<: ", "---\n", "? "};
  auto below = [&](size_t limit) {
    return static_cast<size_t>(random() % std::max<size_t>(limit, 1));
  };
  for (size_t edits = 1 + below(4); edits > 0; --edits) {
    size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0: text.insert(at, kPieces[below(std::size(kPieces))]); break;
      case 1: text.erase(at, 1 + below(12)); break;
      case 2: text.insert(below(text.size()), text.substr(at, below(60))); break;
      case 3:
        text.erase(text.find('\n', at) == std::string::npos ? at : text.find('\n', at), 1);
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
    }
  }
  return text;
}

TEST(PlanMutations, NeverCrashAndNeverFailSilently) {
  const std::string good = plan_with(kGood);
  PlanFixture unharmed(good);
  ASSERT_TRUE(unharmed.load().has_value()) << unharmed.findings();
  std::mt19937 random(20'240'601);
  int loaded = 0;
  for (int i = 0; i < 3000; ++i) {
    PlanFixture fixture(mutate(good, random));
    auto plan = fixture.load();
    ASSERT_EQ(plan.has_value(), !fixture.diagnostics.has_errors());
    if (!plan) continue;
    ++loaded;
    for (const Stage& stage : plan->stages) {
      // What load has passed must resolve: nothing is left for the run to find.
      Value options = resolve_options(stage, *plan, {});
      input_digest(options, *stage.schema, fixture.files);
    }
  }
  EXPECT_GT(loaded, 30);
  EXPECT_LT(loaded, 2900);
}

}  // namespace
}  // namespace blackstart::plan
