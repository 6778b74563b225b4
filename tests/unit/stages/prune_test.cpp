// What a stage applied earlier and does not name any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "orchestrator/kube/object.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string map(const std::string& name) {
  return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n";
}

const std::string kTwo = "/api/v1/namespaces/web/configmaps/two";

class Prune : public testing::Test {
 protected:
  explicit Prune(const std::string& prune = "true")
      : bench("kube.manifests", "path: m.yaml\nnamespace: web\nprune: " + prune,
              {{"/p/m.yaml", map("one") + map("two")}}) {
    EXPECT_EQ(bench.converge(), 1);
    bench.files.content["/p/m.yaml"] = map("one");
  }
  void write_two(const std::string& metadata) {
    bench.api.erase(kTwo);
    bench.api.put(kTwo,
                  boost::json::parse(R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": )" +
                                     metadata + "}"));
  }
  std::string uid_of_two() { return kube::text_at(*bench.api.find(kTwo), {"metadata", "uid"}); }
  Bench bench;
};

class PruneNot : public Prune {
 protected:
  PruneNot() : Prune("false") {}
};

TEST_F(Prune, WhatIsNoLongerNamed_IsShownAndRemoved) {
  Decision decision = bench.decide();
  ASSERT_EQ(decision.actions.size(), 1u);
  EXPECT_TRUE(decision.actions[0].destructive);
  EXPECT_EQ(decision.actions[0].summary, "remove 1 object that is no longer wanted");
  EXPECT_THAT(decision.actions[0].details, ElementsAre("- ConfigMap web/two"));
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_THAT(bench.api.writes, Contains("DELETE " + kTwo));
  EXPECT_EQ(bench.converge(), 0);
}

TEST_F(PruneNot, Unasked_NothingGoesAndTheMemoryStays) {
  EXPECT_EQ(bench.converge(), 0);
  EXPECT_NE(bench.api.find(kTwo), nullptr);
  EXPECT_THAT(bench.files.read(bench.context().folder() + "/applied.json", 10'000),
              HasSubstr("\"two\""));
}

TEST_F(Prune, WithOtherChanges_ComesAfterThem) {
  bench.files.content["/p/m.yaml"] = map("one") + map("three");
  Decision decision = bench.decide();
  ASSERT_EQ(decision.actions.size(), 2u);
  EXPECT_EQ(decision.actions[0].id, "apply");
  EXPECT_FALSE(decision.actions[0].destructive);
  EXPECT_EQ(decision.actions[1].id, "prune");
  EXPECT_EQ(bench.converge(), 2);
}

TEST_F(Prune, AnotherObjectOfThatName_IsLeft) {
  write_two(R"({"uid": "another"})");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(PruneOfOthers, AnObjectThatSomebodyElseMade_IsLeftAndSaid) {
  Bench bench("kube.manifests", "path: m.yaml\nnamespace: web\nprune: true",
              {{"/p/m.yaml", map("one") + map("two")}});
  bench.api.manager = "kubectl";
  bench.api.put(kTwo, boost::json::parse(R"({"apiVersion": "v1", "kind": "ConfigMap"})"));
  bench.converge();
  bench.files.content["/p/m.yaml"] = map("one");
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason, HasSubstr("left in place: ConfigMap web/two was not made by"));
}

TEST_F(Prune, AnObjectThatArgoCdOrHelmTookOver_IsLeftAndSaid) {
  for (const char* mark : {"argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name"}) {
    std::string uid = uid_of_two();
    write_two(R"({"uid": ")" + uid + R"(", "annotations": {")" + mark + R"(": "x"}})");
    Decision decision = bench.decide();
    EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied) << mark;
    EXPECT_THAT(decision.reason, HasSubstr("ConfigMap web/two belongs to ")) << mark;
  }
}

TEST_F(Prune, WithoutMemory_NothingGoesAndThatIsSaid) {
  bench.files.content.erase(bench.context().folder() + "/applied.json");
  EXPECT_EQ(bench.converge(), 0);
  EXPECT_NE(bench.api.find(kTwo), nullptr);
  EXPECT_THAT(bench.published(), HasSubstr("nothing is pruned"));
}

TEST_F(Prune, DamagedMemory_IsNone) {
  bench.files.content[bench.context().folder() + "/applied.json"] = "[{";
  EXPECT_EQ(bench.converge(), 0);
  EXPECT_THAT(bench.published(), HasSubstr("nothing is pruned"));
}

TEST_F(Prune, WhatIsNotReady_HoldsItUp) {
  bench.files.content["/p/m.yaml"] =
      map("one") +
      "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: job}\nspec: {template: {spec: {}}}\n";
  bench.api.on_apply = [](boost::json::object& object) {
    if (object.at("kind") == "Job")
      object["status"] = boost::json::parse(
          R"({"conditions": [{"type": "Failed", "status": "True", "message": "no"}]})");
  };
  bench.decide();
  bench.act("apply");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kBlocked);
}

TEST(PruneOfNamespaces, IsNeverDone) {
  const std::string space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
  Bench bench("kube.manifests", "path: m.yaml\nnamespace: web\nprune: true",
              {{"/p/m.yaml", map("one") + space}});
  bench.api.on_apply = [](boost::json::object& object) {
    if (object.at("kind") == "Namespace")
      object["status"] = boost::json::parse(R"({"phase": "Active"})");
  };
  EXPECT_EQ(bench.converge(), 1);
  bench.files.content["/p/m.yaml"] = map("one");
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason,
              HasSubstr("left in place: Namespace shop may hold more than itself"));
}

}  // namespace
}  // namespace blackstart::stages
