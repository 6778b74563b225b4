#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/helm/situation.h"
#include "tests/unit/stages/helm_fixture.h"

namespace blackstart::stages::helm {
namespace {

using engine::Decision;
using engine::Observation;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Situation::Kind;

constexpr int64_t kWritten = 1700000000;

WantedRelease wanted_release() {
  WantedRelease wanted;
  wanted.release = "web";
  wanted.name_space = "web";
  wanted.chart.name = "web";
  wanted.chart.version = "1.0.0";
  wanted.chart.display = "web 1.0.0 from https://r";
  wanted.values = wanted.set = boost::json::object();
  wanted.stamp = "0123456789abcdef";
  wanted.timeout = std::chrono::minutes(5);
  wanted.unfinished_grace = std::chrono::hours(1);
  return wanted;
}

std::vector<Release> revisions(std::vector<std::pair<int, std::string>> statuses) {
  std::vector<Release> releases;
  for (const auto& [revision, status] : statuses)
    releases.push_back(decode_release(release_secret(revision, status, "{}")));
  return releases;
}

Situation judge(const std::vector<Release>& releases, int64_t interrupted = 0,
                int seconds_later = 60) {
  return judge_record(wanted_release(), releases, interrupted,
                      WallTime(std::chrono::seconds(kWritten + seconds_later)));
}

std::vector<std::string> actions(const Decision& decision) {
  std::vector<std::string> ids;
  for (const auto& action : decision.actions) ids.push_back(action.id);
  return ids;
}

Decision decide(const Situation& situation) {
  WantedRelease wanted = wanted_release();
  return decide_release(wanted, situation, describe_release(wanted, situation, nullptr));
}

TEST(HelmRelease, NotThere_IsInstalled) {
  Situation situation = judge({});
  EXPECT_EQ(situation.kind, Kind::kAbsent);
  EXPECT_THAT(actions(decide(situation)), ElementsAre("install"));
}

TEST(HelmRelease, UninstalledWithHistory_IsInstalled) {
  EXPECT_EQ(judge(revisions({{1, "uninstalled"}})).kind, Kind::kAbsent);
}

TEST(HelmRelease, DeployedFromTheSameChartAndValues_IsReady) {
  Situation situation = judge(revisions({{1, "superseded"}, {2, "deployed"}}));
  EXPECT_EQ(situation.kind, Kind::kReady);
  EXPECT_EQ(decide(situation).kind, Decision::Kind::kSatisfied);
}

TEST(HelmRelease, OtherValues_AreNamedByPathAndUpgraded) {
  auto secret = release_secret(1, "deployed", R"({"password": "hunter2"})");
  Situation situation = judge({decode_release(secret)});
  EXPECT_EQ(situation.kind, Kind::kDiffers);
  Decision decision = decide(situation);
  EXPECT_THAT(actions(decision), ElementsAre("upgrade"));
  EXPECT_THAT(decision.reason, HasSubstr("values differ at .password"));
  EXPECT_THAT(decision.reason, testing::Not(HasSubstr("hunter2")));
}

TEST(HelmRelease, AFailedAttempt_IsTriedAgainAndSaysWhyItFailed) {
  auto secret = release_secret(2, "failed", "{}", "Upgrade \"web\" failed: no such image");
  Situation situation = judge({decode_release(secret)});
  EXPECT_EQ(situation.kind, Kind::kDiffers);
  EXPECT_THAT(situation.reason, HasSubstr("revision 2 is failed: Upgrade \"web\" failed: no such"));
}

TEST(HelmRelease, AnArchive_IsTheSameOnlyWithItsStamp) {
  WantedRelease wanted = wanted_release();
  wanted.chart = {.reference = "/c.tgz", .display = "/c.tgz", .digest = "d"};
  WallTime now{std::chrono::seconds(kWritten)};
  auto stamped = decode_release(release_secret(1, "deployed", "{}", wanted.description()));
  EXPECT_EQ(judge_record(wanted, {stamped}, 0, now).kind, Kind::kReady);
  auto other = decode_release(release_secret(1, "deployed", "{}"));
  EXPECT_EQ(judge_record(wanted, {other}, 0, now).kind, Kind::kDiffers);
}

struct PendingRow {
  std::vector<std::pair<int, std::string>> revisions;
  int64_t interrupted;  // the revision that our own helm was making
  int age;              // seconds
  Kind kind;
  std::vector<std::string> actions;
};

TEST(HelmRelease, Unfinished_IsRepairedWhenOursOrOld_AndWaitedForOtherwise) {
  const std::vector<PendingRow> rows = {
      {{{1, "pending-install"}}, 1, 1, Kind::kInterrupted, {"forget", "upgrade"}},
      {{{1, "pending-install"}}, 0, 3601, Kind::kInterrupted, {"forget", "upgrade"}},
      {{{1, "pending-install"}}, 0, 301, Kind::kBusy, {}},
      {{{1, "pending-install"}}, 0, 10, Kind::kBusy, {}},
      {{{1, "deployed"}, {2, "pending-upgrade"}},
       2,
       1,
       Kind::kInterrupted,
       {"rollback", "upgrade"}},
      {{{1, "deployed"}, {2, "pending-upgrade"}}, 1, 1, Kind::kBusy, {}},
      {{{1, "superseded"}, {2, "pending-upgrade"}},
       2,
       1,
       Kind::kInterrupted,
       {"rollback", "upgrade"}},
      {{{1, "deployed"}, {2, "failed"}, {3, "pending-rollback"}},
       0,
       3999,
       Kind::kInterrupted,
       {"rollback", "upgrade"}},
      {{{1, "failed"}, {2, "pending-upgrade"}}, 2, 1, Kind::kInterrupted, {"forget", "upgrade"}},
      {{{1, "uninstalling"}}, 1, 1, Kind::kInterrupted, {"forget", "upgrade"}},
      {{{1, "superseded"}, {2, "uninstalling"}}, 2, 1, Kind::kInterrupted, {"forget", "upgrade"}},
      {{{1, "uninstalling"}}, 0, 10, Kind::kBusy, {}},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    Situation situation = judge(revisions(rows[i].revisions), rows[i].interrupted, rows[i].age);
    EXPECT_EQ(situation.kind, rows[i].kind) << "row " << i;
    Decision decision = decide(situation);
    EXPECT_EQ(actions(decision), rows[i].actions) << "row " << i;
    EXPECT_EQ(decision.kind == Decision::Kind::kWait, rows[i].kind == Kind::kBusy) << "row " << i;
  }
}

TEST(HelmRelease, PendingUpgrade_GoesBackToTheLastThatWorked) {
  Situation situation =
      judge(revisions({{1, "superseded"}, {2, "deployed"}, {3, "pending-upgrade"}}), 3);
  EXPECT_EQ(situation.rollback_to, 2);
}

TEST(HelmRelease, PendingInstall_ForgetsTheRecordAlone) {
  Situation situation = judge(revisions({{1, "pending-install"}}), 1);
  EXPECT_EQ(situation.secret, "sh.helm.release.v1.web.v1");
  for (const auto& action : decide(situation).actions)
    EXPECT_FALSE(action.destructive) << action.id;
}

ObjectsState unready(kube::Readiness::State state) {
  ObjectsState objects;
  objects.unready.push_back(
      {{"apps/v1", "Deployment", "web", "web"}, {state, "0 of 1 replica is available"}});
  return objects;
}

TEST(HelmRelease, Deployed_IsDoneOnlyWhenItsObjectsAreReady) {
  auto deployed = judge(revisions({{1, "deployed"}}));
  Situation waiting = deployed;
  judge_objects(wanted_release(), unready(kube::Readiness::State::kProgressing), waiting);
  EXPECT_EQ(decide(waiting).kind, Decision::Kind::kWait);
  EXPECT_THAT(decide(waiting).reason, HasSubstr("Deployment web/web: 0 of 1 replica is"));
  EXPECT_THAT(decide(waiting).waits_for, testing::ElementsAre("Deployment web/web"));
  Situation stuck = deployed;
  judge_objects(wanted_release(), unready(kube::Readiness::State::kFailed), stuck);
  EXPECT_EQ(decide(stuck).kind, Decision::Kind::kBlocked);
}

TEST(HelmRelease, WhatHasStalled_EndsTheWait_UnlessSomethingIsOnItsWay) {
  using State = kube::Readiness::State;
  auto stalled = judge(revisions({{1, "deployed"}}));
  Situation waiting = stalled;
  ObjectsState objects = unready(State::kStalled);
  judge_objects(wanted_release(), objects, stalled);
  EXPECT_EQ(stalled.kind, Kind::kUnready);
  EXPECT_EQ(stalled.stalled, "Deployment web/web: 0 of 1 replica is available");
  objects.unready.push_back({{"v1", "Service", "web", "web"}, {State::kProgressing, "no address"}});
  judge_objects(wanted_release(), objects, waiting);
  EXPECT_EQ(waiting.stalled, "");
}

TEST(HelmRelease, AMissingObject_IsBroughtBackByAnUpgrade) {
  Situation situation = judge(revisions({{1, "deployed"}}));
  ObjectsState objects;
  objects.missing.push_back({"v1", "Service", "web", "web"});
  judge_objects(wanted_release(), objects, situation);
  Decision decision = decide(situation);
  EXPECT_THAT(actions(decision), ElementsAre("upgrade"));
  EXPECT_THAT(decision.reason, HasSubstr("missing: Service web/web"));
}

TEST(HelmRelease, HandedOverToArgoCd_IsNeverUpgradedAgain) {
  auto secret = release_secret(1, "deployed", R"({"other": true})");
  Situation situation = judge({decode_release(secret)});
  ASSERT_EQ(situation.kind, Kind::kDiffers);
  ObjectsState objects;
  objects.handed_over = "argocd";
  judge_objects(wanted_release(), objects, situation);
  EXPECT_EQ(decide(situation).kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(situation.reason, HasSubstr("handed over to Argo CD's Application argocd"));
  objects.missing.push_back({"v1", "Service", "web", "web"});
  judge_objects(wanted_release(), objects, situation);
  EXPECT_EQ(decide(situation).kind, Decision::Kind::kWait) << "Argo CD brings it back";
}

TEST(HelmRelease, BeforeTheCluster_TheInstallIsShown) {
  WantedRelease wanted = wanted_release();
  Decision decision = decide_release(wanted, {}, Observation::deferred("cluster"));
  EXPECT_THAT(actions(decision), ElementsAre("install"));
}

TEST(HelmRelease, Removal_UninstallsButNeverAnArgoCdWithApplications) {
  WantedRelease wanted = wanted_release();
  Situation situation = judge(revisions({{1, "deployed"}}));
  situation.installed_here = true;
  Observation seen = Observation::present("");
  EXPECT_THAT(actions(decide_release_removal(wanted, situation, seen)), ElementsAre("uninstall"));
  situation.applications = 3;
  Decision refused = decide_release_removal(wanted, situation, seen);
  EXPECT_EQ(refused.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(refused.reason, HasSubstr("3 Applications"));
  situation.applications = 0;
  situation.handed_over = "web-in-git";
  Decision left = decide_release_removal(wanted, situation, seen);
  EXPECT_EQ(left.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(left.reason, HasSubstr("left in place: release web/web was handed over to Argo CD's "
                                     "Application web-in-git"));
  EXPECT_EQ(decide_release_removal(wanted, judge({}), Observation::absent("")).kind,
            Decision::Kind::kSatisfied);
}

}  // namespace
}  // namespace blackstart::stages::helm
