// Whose the objects of a release are: another release's, nobody's, or by now an Application's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/helm/keeper.h"
#include "stages/helm/ownership.h"
#include "stages/helm/situation.h"
#include "tests/unit/stages/bench.h"
#include "tests/unit/stages/helm_fixture.h"

namespace blackstart::stages::helm {
namespace {

using boost::json::parse;
using engine::Decision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = Situation::Kind;

WantedRelease wanted_release() {
  WantedRelease wanted;
  wanted.release = "web";
  wanted.name_space = "web";
  wanted.chart.name = "web";
  wanted.chart.version = "1.0.0";
  wanted.values = wanted.set = boost::json::object();
  return wanted;
}

struct OwnerRow {
  const char* metadata;
  bool foreign;
  const char* release;
};

TEST(Ownership, IsByTheMarksThatHelmChecks) {
  const std::vector<OwnerRow> rows = {
      {"{}", true, ""},
      {R"({"labels": {"app.kubernetes.io/managed-by": "Helm"}})", true, ""},
      {R"({"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations":
          {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "web"}})",
       false, ""},
      {R"({"labels": {"app.kubernetes.io/managed-by": "kustomize"}, "annotations":
          {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "web"}})",
       true, ""},
      {R"({"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations":
          {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}})",
       true, "shop/web"},
  };
  for (const OwnerRow& row : rows) {
    auto found =
        foreign_to(wanted_release(), parse(std::string("{\"metadata\":") + row.metadata + "}"));
    ASSERT_EQ(found.has_value(), row.foreign) << row.metadata;
    EXPECT_EQ(found ? found->release : "", row.release) << row.metadata;
  }
}

TEST(Ownership, WhatBelongsToAnotherRelease_IsNeverTaken) {
  std::vector<Foreign> found{{{"v1", "ConfigMap", "web", "a"}, ""}};
  EXPECT_FALSE(refuse_to_take(wanted_release(), found)) << "takeOwnership is for these";
  found.push_back({{"v1", "Service", "web", "b"}, "shop/web"});
  auto refused = refuse_to_take(wanted_release(), found);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->summary(), "release web/web would take over 1 object of another release");
  EXPECT_THAT(refused->causes(), ElementsAre("Service web/b belongs to release shop/web"));
}

ObjectsState tracked_by(const char* keeper) {
  ObjectsState objects;
  objects.handed_over = "argocd";
  objects.keeper = parse(keeper);
  return objects;
}

constexpr const char* kSameChart =
    R"({"spec": {"source": {"chart": "web", "targetRevision": "1.0.0"}}})";

constexpr const char* kNewerChart =
    R"({"spec": {"source": {"chart": "web", "targetRevision": "2.0.0"}}})";

Situation judged(WantedRelease wanted, const std::string& status, const ObjectsState& objects) {
  std::vector<Release> releases{decode_release(release_secret(2, status, R"({"other": 1})"))};
  Situation situation =
      judge_record(wanted, releases, 2, WallTime(std::chrono::seconds(1700000060)));
  judge_objects(wanted, objects, situation);
  return situation;
}

TEST(Handover, WhatTheApplicationHasOtherwise_IsSaid_AndLeft) {
  Situation same = judged(wanted_release(), "deployed", tracked_by(kSameChart));
  EXPECT_EQ(same.kind, Kind::kReady);
  EXPECT_EQ(same.reason, "release web/web was handed over to Argo CD's Application argocd");
  Situation newer = judged(wanted_release(), "deployed", tracked_by(kNewerChart));
  EXPECT_EQ(newer.kind, Kind::kReady);
  EXPECT_EQ(newer.reason, same.reason +
                              ", which differs from this plan: it has chart version 2.0.0, the "
                              "plan 1.0.0");
}

TEST(Handover, AnUnfinishedRecord_IsNotRolledBackUnderArgoCd) {
  ObjectsState objects = tracked_by(kSameChart);
  EXPECT_EQ(judged(wanted_release(), "pending-upgrade", objects).kind, Kind::kReady);
}

TEST(Handover, Reclaim_UpgradesAgain_AndSaysWhoWillSetItBack) {
  WantedRelease wanted = wanted_release();
  wanted.reclaim = true;
  Situation situation = judged(wanted, "deployed", tracked_by(kSameChart));
  EXPECT_EQ(situation.kind, Kind::kDiffers);
  Decision decision = decide_release(wanted, situation, engine::Observation::differs(""));
  ASSERT_EQ(decision.actions.size(), 1u);
  EXPECT_THAT(decision.actions[0].details,
              testing::Contains(HasSubstr("reclaimed from Argo CD's Application argocd")));
}

struct KeeperRow {
  const char* source;
  std::vector<std::string> differences;
};

TEST(Keeper, WhatItHasOtherwiseThanThePlan_IsNamed) {
  WantedRelease wanted = wanted_release();
  wanted.values_files = {"/home/me/lab/values.yaml"};
  wanted.values_shown = {"values.yaml"};
  const std::vector<KeeperRow> rows = {
      {R"({"chart": "web", "targetRevision": "1.0.0", "helm": {"valueFiles": ["$v/values.yaml"]}})",
       {}},
      {R"({"chart": "web", "targetRevision": "1.1.0", "helm": {"valueFiles": ["$v/values.yaml"]}})",
       {"it has chart version 1.1.0, the plan 1.0.0"}},
      {R"({"chart": "web", "targetRevision": "1.0.0", "helm": {"valueFiles": ["$v/prod.yaml"]}})",
       {"values file values.yaml is the plan's alone",
        "values file prod.yaml is the Application's alone"}},
      {R"({"chart": "web", "targetRevision": "1.0.0", "helm": {"valueFiles": ["$v/values.yaml"],
           "valuesObject": {"a": 1}, "values": "b: 2"}})",
       {"`set` of the plan and helm.valuesObject of the Application differ",
        "the Application sets values of its own"}},
  };
  for (const KeeperRow& row : rows) {
    auto application =
        parse(std::string(R"({"spec": {"sources": [{"ref": "v"}, )") + row.source + "]}}");
    EXPECT_EQ(keeper_differences(wanted, application), row.differences) << row.source;
  }
}

TEST(Keeper, AChartInGit_IsFoundByItsPath_AndItsValuesBesideIt) {
  WantedRelease wanted = wanted_release();
  wanted.chart.reference.path = "/home/me/lab/infrastructure/web/chart";
  wanted.values_files = {"/home/me/lab/infrastructure/web/values.yaml"};
  wanted.values_shown = {"infrastructure/web/values.yaml"};
  auto application = parse(R"({"spec": {"source": {"path": "infrastructure/web/chart",
      "targetRevision": "main", "helm": {"valueFiles": ["../values.yaml"]}}}})");
  EXPECT_THAT(keeper_differences(wanted, application), IsEmpty());
  application.at_pointer("/spec/source/path") = "elsewhere";
  EXPECT_THAT(keeper_differences(wanted, application), ElementsAre(HasSubstr("another")));
}

TEST(RedisSecret, SwitchedOffHook_NeedsAStageThatMakesTheSecret) {
  auto warned = [](const std::string& values) {
    Bench bench("helm.release",
                "{release: argocd, namespace: argocd, values: [v.yaml], chart: {name: argo-cd, "
                "repo: 'https://r', version: 9.3.7}}",
                {{"/p/v.yaml", values}});
    bench.observe();
    return bench.published();
  };
  EXPECT_THAT(warned("redisSecretInit: {enabled: false}\n"),
              HasSubstr("no stage before makes the Secret argocd/argocd-redis"));
  EXPECT_THAT(warned("redisSecretInit: {enabled: true}\n"), Not(HasSubstr("argocd-redis")));
  EXPECT_THAT(warned("redisSecretInit: {enabled: false}\nexternalRedis: {host: r}\n"),
              Not(HasSubstr("argocd-redis")));
}

}  // namespace
}  // namespace blackstart::stages::helm
