#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/argocd/revisions.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kApps = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/";
const std::string kSets = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/";
constexpr const char* kHead = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

boost::json::value application(const std::string& sync, const std::string& health,
                               const std::string& revision = kHead, const std::string& more = "") {
  return boost::json::parse(
      R"({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
    "spec": {"source": {"repoURL": "file:///repo", "targetRevision": "main"}, "syncPolicy": {"automated": {"selfHeal": true}}},
    "status": {"sync": {"status": ")" +
      sync + R"(", "revision": ")" + revision +
      R"(", "comparedTo": {"source": {"repoURL": "file:///repo", "targetRevision": "main"}}},
      "health": {"status": ")" +
      health + R"("}, "operationState": {"phase": "Succeeded"})" + more + "}}");
}

boost::json::value with_child(const std::string& child) {
  return application(
      "Synced", "Healthy", kHead,
      R"(, "resources": [{"group": "argoproj.io", "kind": "Application", "namespace": "argocd", "name": ")" +
          child + "\"}]");
}

constexpr const char* kGenerated = R"({"kind": "ApplicationSet", "status": {"conditions": [
    {"type": "ErrorOccurred", "status": "False"}, {"type": "ResourcesUpToDate", "status": "True"}]}})";

/// A stage that waits, with git answering that every revision is `head`.
struct Waiting : Bench {
  explicit Waiting(const std::string& with) : Bench("argocd.wait", with, {{"/tools/git", ""}}) {
    processes.handler = [this](const Command& command) {
      Exit exit;
      bool asks_commit = std::ranges::find(command.args, "rev-parse") != command.args.end();
      exit.code = asks_commit ? 0 : 1;  // no remotes
      if (asks_commit) exit.out = head + "\n";
      return exit;
    };
  }
  std::string head = kHead;
};

TEST(ArgocdWait, NothingThere_IsWaitedFor) {
  Waiting wait("apps: all");
  EXPECT_EQ(wait.observe().state, Observation::State::kAbsent);
  Decision decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("there is no Application yet"));
  EXPECT_THAT(decision.waits_for, ElementsAre("1 more Application"));
}

TEST(ArgocdWait, AllDone_IsSatisfiedAndWritesNothing) {
  Waiting wait("{apps: all, atLeast: 2, repository: /repo}");
  wait.api.put(kApps + "root", application("Synced", "Healthy"));
  EXPECT_THAT(wait.decide().reason, HasSubstr("1 of at least 2 Applications is there"));
  wait.api.put(kApps + "demo", application("Synced", "Healthy"));
  wait.changed();
  Decision decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied) << decision.reason;
  EXPECT_THAT(wait.api.writes, IsEmpty());
}

TEST(ArgocdWait, ARepositoryInAnotherSpelling_IsExpectedToBeAtItsCommitAllTheSame) {
  Waiting wait("{apps: all, repository: ../p/./lab}");
  boost::json::value app = application("Synced", "Healthy", "an older commit");
  app.at_pointer("/spec/source/repoURL") = "file:///p/../p/lab/";
  wait.api.put(kApps + "root", std::move(app));
  EXPECT_NE(wait.decide().kind, Decision::Kind::kSatisfied);
}

TEST(ArgocdWait, ServerGoneWhileOneIsBroken_IsUnreachableNotAMistakeInGit) {
  Waiting wait("{apps: all, grace: 1s}");
  wait.api.put(kApps + "demo",
               application("Unknown", "Healthy", "",
                           R"(, "conditions": [{"type": "ComparisonError", "message": "m"}])"));
  bool gone = false;
  auto inner = wait.http.handler;
  wait.http.handler = [inner, &gone](HttpRequest request) -> Task<HttpResponse> {
    if (gone || request.url.find("watch=true") != std::string::npos)
      throw Error(ErrorClass::kUnreachable, "connection refused");
    co_return co_await inner(std::move(request));
  };
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait);
  gone = true;
  wait.changed();
  try {
    wait.changed();
    Decision decision = wait.decide();
    FAIL() << decision.reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable);
  }
}

TEST(ArgocdWait, TheReason_NamesWhatIsNotDone) {
  Waiting wait("apps: all");
  wait.api.put(kApps + "root", application("Synced", "Healthy"));
  wait.api.put(kApps + "demo", application("OutOfSync", "Missing"));
  Decision decision = wait.decide();
  EXPECT_EQ(decision.reason, "1 of 2 Applications is not done: demo: OutOfSync, Missing");
  EXPECT_THAT(decision.waits_for, ElementsAre("demo")) << "news when it changes";
}

TEST(ArgocdWait, TheCauseBelow_IsSaidUntilItIsLookedIntoAgain) {
  Waiting wait("apps: all");
  const char* service =
      R"(, "resources": [{"version": "v1", "kind": "Service", "namespace": "a", "name": "web"}])";
  wait.api.put(kApps + "demo", application("Synced", "Degraded", kHead, service));
  EXPECT_THAT(wait.decide().reason, Not(HasSubstr("Service a/web"))) << "it is just starting";
  Clock& clock = wait.context().world().clock;
  wait.run(clock.sleep_until(clock.now() + std::chrono::seconds(4)));
  EXPECT_THAT(wait.decide().reason, HasSubstr("Service a/web is missing"));
  EXPECT_THAT(wait.decide().reason, HasSubstr("Service a/web is missing")) << "too soon to ask";
  wait.api.put(kApps + "demo", application("OutOfSync", "Healthy", kHead, service));
  wait.changed();
  EXPECT_THAT(wait.decide().reason, Not(HasSubstr("Service a/web"))) << "that was another trouble";
}

TEST(ArgocdWait, ASingleLook_GoesDownToTheCause) {
  Waiting wait("apps: all");
  wait.context().read_only = true;
  wait.api.put(kApps + "demo", application("Synced", "Degraded", kHead, R"(, "resources": [
      {"version": "v1", "kind": "Service", "namespace": "a", "name": "web"}])"));
  EXPECT_THAT(wait.observe().reason, HasSubstr("Service a/web is missing"));
}

TEST(ArgocdWait, ChildrenThatAreNotThereYet_AreWaitedFor_Transitively) {
  Waiting wait("apps: [root]");
  wait.api.put(kApps + "root", with_child("child"));
  wait.api.put(kApps + "other", application("OutOfSync", "Degraded"));
  EXPECT_THAT(wait.decide().reason, HasSubstr("child: is not there yet (a child of root)"));
  wait.api.put(kApps + "child", with_child("grandchild"));
  wait.changed();
  EXPECT_THAT(wait.decide().reason, HasSubstr("grandchild: is not there yet"));
  wait.api.put(kApps + "grandchild", application("Synced", "Healthy"));
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kSatisfied) << "`other` was not asked for";
}

TEST(ArgocdWait, AnOldRevision_IsRefreshedOnceForEachCommit) {
  Waiting wait("{apps: all, repository: /repo}");
  wait.api.put(kApps + "demo", application("Synced", "Healthy", "bbbb"));
  Decision decision = wait.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_EQ(decision.actions[0].id, "refresh-demo");
  wait.act("refresh-demo");
  EXPECT_THAT(wait.api.writes, ElementsAre("PATCH " + kApps + "demo"));
  EXPECT_EQ(kube::text_at(*wait.api.find(kApps + "demo"),
                          {"metadata", "annotations", "argocd.argoproj.io/refresh"}),
            "normal");
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "once is enough";
  wait.head = "cccccccccccccccccccccccccccccccccccccccc";
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kAct) << "another commit";
}

TEST(ArgocdWait, AnErrorThatStays_EndsTheWaitAfterTheGrace) {
  Waiting wait("{apps: all, grace: 20s}");
  wait.api.put(kApps + "demo", application("Unknown", "Healthy", kHead,
                                           R"(, "conditions": [{"type": "ComparisonError",
                                               "message": "apps/nope: app path does not exist"}])"));
  Decision decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait) << "it may pass";
  EXPECT_THAT(decision.reason, HasSubstr("app path does not exist"));
  wait.changed();  // nothing moves: returns when the grace is over
  decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("Application demo: ComparisonError"));
  EXPECT_NE(decision.hint, "");
}

TEST(ArgocdWait, AnErrorThatPasses_StartsItsGraceAgain) {
  Waiting wait("{apps: all, grace: 20s}");
  const char* broken =
      R"(, "conditions": [{"type": "ComparisonError", "message": "connection refused"}])";
  wait.api.put(kApps + "demo", application("Unknown", "Healthy", kHead, broken));
  wait.decide();
  wait.api.put(kApps + "demo", application("OutOfSync", "Healthy"));
  wait.changed();
  wait.decide();
  wait.run(wait.context().world().clock.sleep_until(wait.context().world().clock.now() +
                                                    std::chrono::seconds(30)));
  wait.api.put(kApps + "demo", application("Unknown", "Healthy", kHead, broken));
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait);
}

TEST(ArgocdWait, AnApplicationSet_ThatFailsEndsTheWait_ThatGeneratesNothingIsSaid) {
  Waiting wait("{apps: all, grace: 1s}");
  wait.api.put(kApps + "demo", application("Synced", "Healthy"));
  wait.api.put(kSets + "empty", boost::json::parse(kGenerated));
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(wait.published(), HasSubstr("ApplicationSet empty has generated no Application"));
  wait.decide();  // by now both watches have begun
  wait.api.put(kSets + "broken",
               boost::json::parse(R"({"kind": "ApplicationSet", "status": {"conditions":
      [{"type": "ErrorOccurred", "status": "True", "message": "generator: no such repository"}]}})"));
  wait.changed();
  wait.decide();
  wait.changed();
  Decision decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("ApplicationSet broken: generator: no such repository"));
}

TEST(ArgocdWait, AnApplicationSetThatArgoCdHasNotLookedAt_IsWaitedFor) {
  Waiting wait("apps: all");
  wait.api.put(kApps + "demo", application("Synced", "Healthy"));
  wait.api.put(kSets + "shops", boost::json::parse(R"({"kind": "ApplicationSet"})"));
  Decision decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_EQ(decision.reason,
            "1 of 2 Applications and sets is not done: "
            "ApplicationSet shops: was not looked at by Argo CD yet");
  wait.api.put(kSets + "shops", boost::json::parse(kGenerated));
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kSatisfied);
}

TEST(ArgocdWait, AnApplicationSetOfTheRoot_BringsItsApplicationsIntoTheWait) {
  Waiting wait("apps: [root]");
  wait.api.put(kApps + "root", application("Synced", "Healthy", kHead, R"(, "resources": [{"group":
      "argoproj.io", "kind": "ApplicationSet", "namespace": "argocd", "name": "shops"}])"));
  EXPECT_THAT(wait.decide().reason,
              HasSubstr("ApplicationSet shops: is not there yet (a child of root)"));
  wait.api.put(kSets + "shops", boost::json::parse(kGenerated));
  boost::json::value shop = application("OutOfSync", "Missing");
  shop.as_object()["metadata"] =
      boost::json::parse(R"({"ownerReferences": [{"kind": "ApplicationSet", "name": "shops"}]})");
  wait.api.put(kApps + "shop", shop);
  wait.api.put(kApps + "other", application("OutOfSync", "Degraded"));
  wait.changed();
  EXPECT_EQ(wait.decide().reason,
            "1 of 3 Applications and sets is not done: shop: OutOfSync, Missing");
}

TEST(ArgocdWait, OneErrorAfterAnother_EachHasItsOwnGrace) {
  Waiting wait("{apps: all, grace: 20s}");
  auto broken = [](const std::string& message) {
    return application(
        "Unknown", "Healthy", kHead,
        R"(, "conditions": [{"type": "ComparisonError", "message": ")" + message + R"("}])");
  };
  wait.api.put(kApps + "demo", broken("connection refused"));
  wait.decide();
  Clock& clock = wait.context().world().clock;
  wait.run(clock.sleep_until(clock.now() + std::chrono::seconds(30)));
  wait.api.put(kApps + "demo", broken("app path does not exist"));
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait);
}

struct MistakeRow {
  const char* with;
  const char* summary;
};

TEST(ArgocdWait, WhatCannotBeWaitedFor_IsAMistakeWithAPlace) {
  const std::vector<MistakeRow> rows = {
      {"apps: []", "`apps` names no Application"},
      {"{apps: all, revision: main}", "revision main is no commit's hex number"},
      {"{apps: all, revision: abc}", "revision abc is no commit's hex number"},
  };
  for (const MistakeRow& row : rows) {
    Waiting wait(row.with);
    try {
      wait.observe();
      ADD_FAILURE() << row.with;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage) << row.with;
      EXPECT_EQ(error.summary(), row.summary);
      EXPECT_TRUE(error.place().known()) << row.with;
    }
  }
}

TEST(ArgocdWait, ACommitWithoutARepository_IsExpectedOfEveryGitSource) {
  Waiting wait("{apps: all, revision: aaaaaaa}");
  wait.api.put(kApps + "demo", application("Synced", "Healthy"));
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kSatisfied);
}

TEST(ArgocdWait, BeforeTheCluster_ItSaysWhatItWillWaitFor) {
  Waiting wait("apps: all");
  wait.outputs.clear();
  EXPECT_EQ(wait.observe().state, Observation::State::kDeferred);
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait);
}

TEST(ArgocdWait, ARepositoryThatIsNone_IsAUsageError) {
  Waiting wait("{apps: all, repository: /nowhere}");
  wait.processes.handler = [](const Command&) { return Exit{.code = 128}; };
  EXPECT_THROW(wait.decide(), Error);
}

TEST(Revisions, TheSameRepository_IsKnownByEverySpellingOfItsUrl) {
  kube::MemoryFiles files;
  for (const char* url : {"file:///home/me/my lab", "file:///home/me/my%20lab", "/home/me/my lab/",
                          "file:///home/me/./my%20lab", "/home/me/other/../my lab/.git"})
    EXPECT_EQ(argocd::repository_name(files, url), "/home/me/my lab") << url;
  for (const char* url :
       {"git@github.com:me/lab.git", "https://github.com/me/lab", "ssh://git@github.com/me/lab.git",
        "https://token@github.com/me/lab.git/"})
    EXPECT_EQ(argocd::repository_name(files, url), "github.com/me/lab") << url;
}

}  // namespace
}  // namespace blackstart::stages
