// argocd.wait: what the plan makes of what Argo CD leaves as it is, and what is asked of Argo CD.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kApps = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/";
const std::string kSets = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/";

/// An Application that was compared; `policy` is its syncPolicy, `status` what comes besides.
boost::json::value application(const std::string& policy, const std::string& sync,
                               const std::string& health, const std::string& status = "") {
  return boost::json::parse(
      R"({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
          "spec": {"source": {"repoURL": "file:///repo"}, "syncPolicy": )" +
      policy + R"(}, "status": {"sync": {"status": ")" + sync +
      R"(", "revision": "aaaaaaaa", "comparedTo": {"source": {"repoURL": "file:///repo"}}},
          "health": {"status": ")" +
      health + "\"}" + status + "}}");
}

struct Waiting : Bench {
  explicit Waiting(const std::string& with) : Bench("argocd.wait", with, {{"/tools/git", ""}}) {
    processes.handler = [this](const Command& command) { return git(command.args); };
  }
  Exit git(const std::vector<std::string>& args) {
    auto asks = [&args](const char* word) { return std::ranges::find(args, word) != args.end(); };
    Exit exit;
    if (asks("rev-list")) exit.out = ahead;
    if (asks("--contains")) return exit;  // in no branch of a remote
    if (asks("for-each-ref")) exit.out = "refs/remotes/origin/main\n";
    if (asks("rev-parse")) exit.out = asks("--abbrev-ref") ? "origin/main\n" : "bbbbbbbb\n";
    if (asks("--get-regexp")) exit.out = "remote.origin.url file:///repo\n";
    return exit;
  }
  std::string ahead = "0\n";
};

/// What comes of waiting: news of what we wrote ourselves ends no wait.
Decision end_of(Waiting& wait) {
  Decision decision = wait.decide();
  for (int round = 0; round < 5 && decision.kind == Decision::Kind::kWait; ++round) {
    wait.changed();
    decision = wait.decide();
  }
  return decision;
}

struct AnswerRow {
  const char* with;
  const char* policy;
  const char* sync;
  const char* health;
  Decision::Kind after_grace;
  const char* reason;
};

TEST(ArgocdAnswers, WhatArgoCdLeavesAsItIs_IsFailedWaitedForOrAccepted) {
  using Kind = Decision::Kind;
  const std::vector<AnswerRow> rows = {
      {"{apps: all}", "{}", "OutOfSync", "Missing", Kind::kBlocked, "no automated sync"},
      {"{apps: all, outOfSync: wait}", "{}", "OutOfSync", "Missing", Kind::kWait,
       "no automated sync"},
      {"{apps: all, outOfSync: accept}", "{}", "OutOfSync", "Missing", Kind::kSatisfied,
       "0 of 1 Application Synced and Healthy; accepted: demo: OutOfSync, Missing"},
      {"{apps: all, outOfSync: accept}", "{}", "OutOfSync", "Degraded", Kind::kWait, "Degraded"},
      {"{apps: all, suspended: accept}", "{}", "OutOfSync", "Missing", Kind::kBlocked,
       "no automated sync"},
      {"{apps: all}", R"({"automated": {}})", "Synced", "Suspended", Kind::kBlocked, "Suspended"},
      {"{apps: all, suspended: wait}", R"({"automated": {}})", "Synced", "Suspended", Kind::kWait,
       "Suspended"},
      {"{apps: all, suspended: accept}", R"({"automated": {}})", "Synced", "Suspended",
       Kind::kSatisfied, "accepted: demo: Synced, Suspended"},
  };
  for (const AnswerRow& row : rows) {
    Waiting wait(row.with);
    wait.api.put(kApps + "demo", application(row.policy, row.sync, row.health));
    wait.decide();
    Clock& clock = wait.context().world().clock;
    wait.run(clock.sleep_until(clock.now() + std::chrono::seconds(21)));
    Decision decision = wait.decide();
    EXPECT_EQ(decision.kind, row.after_grace) << row.with << row.health;
    EXPECT_THAT(decision.reason, HasSubstr(row.reason)) << row.with;
    EXPECT_THAT(wait.api.writes, IsEmpty());
  }
}

TEST(ArgocdAnswers, Sync_IsAskedForOnce_AsTheApplicationIsToBeSynced) {
  Waiting wait("{apps: all, outOfSync: sync}");
  wait.api.put(kApps + "demo",
               application(R"({"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 2}})",
                           "OutOfSync", "Missing"));
  Decision decision = wait.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_EQ(decision.actions[0].summary, "have Argo CD sync Application demo");
  wait.act("sync-demo");
  const boost::json::value* live = wait.api.find(kApps + "demo");
  EXPECT_EQ(*kube::find(*live, {"operation"}), boost::json::parse(R"({
      "initiatedBy": {"username": "blackstart"}, "retry": {"limit": 2},
      "sync": {"syncOptions": ["CreateNamespace=true"]}})"));
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "it is being synced";
  wait.api.put(kApps + "demo", application("{}", "OutOfSync", "Missing"));
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "this revision was tried";
}

/// One whose next PATCH gets no answer; `arrives`: though it was carried out.
struct Interrupted : Waiting {
  Interrupted(const std::string& with, bool arrives) : Waiting(with) {
    http.handler = [this, arrives,
                    inner = http.handler](HttpRequest request) -> Task<HttpResponse> {
      bool lost = request.method == "PATCH" && !std::exchange(done, true);
      if (lost && !arrives) throw Error(ErrorClass::kTransient, "connection reset");
      HttpResponse response = co_await inner(std::move(request));
      if (lost) throw Error(ErrorClass::kTransient, "connection reset");
      co_return response;
    };
  }
  bool done = false;
};

TEST(ArgocdAnswers, ARequestThatIsLost_IsMadeAgain) {
  Interrupted sync("{apps: all, outOfSync: sync}", false);
  sync.api.put(kApps + "demo", application("{}", "OutOfSync", "Missing"));
  ASSERT_EQ(sync.decide().kind, Decision::Kind::kAct);
  EXPECT_THROW(sync.act("sync-demo"), Error);
  ASSERT_EQ(sync.decide().kind, Decision::Kind::kAct);
  sync.act("sync-demo");
  EXPECT_NE(kube::find(*sync.api.find(kApps + "demo"), {"operation"}), nullptr);
  sync.changed();
  EXPECT_EQ(sync.decide().kind, Decision::Kind::kWait) << "it is being synced";
}

TEST(ArgocdAnswers, ASyncWhoseAnswerIsLost_IsNotAskedForTwice) {
  Interrupted sync("{apps: all, outOfSync: sync}", true);
  sync.api.put(kApps + "demo", application("{}", "OutOfSync", "Missing"));
  ASSERT_EQ(sync.decide().kind, Decision::Kind::kAct);
  EXPECT_THROW(sync.act("sync-demo"), Error);
  sync.act("sync-demo");
  EXPECT_EQ(sync.api.writes.size(), 1u);
  sync.changed();
  EXPECT_EQ(sync.decide().kind, Decision::Kind::kWait) << "it is being synced";
}

TEST(ArgocdAnswers, PruningThatIsOff_AndDriftWithoutSelfHeal_StayAndAreSaid) {
  Waiting wait("{apps: all, grace: 1s}");
  wait.api.put(kApps + "demo",
               application(R"({"automated": {}})", "OutOfSync", "Healthy",
                           R"(, "resources": [{"kind": "ConfigMap", "namespace": "a",
      "name": "old", "status": "OutOfSync", "requiresPruning": true}])"));
  EXPECT_THAT(wait.decide().reason, HasSubstr("ConfigMap a/old (it is not in Git any more, and "
                                              "pruning is off: this stays)"));
  wait.api.put(kApps + "demo",
               application(R"({"automated": {"prune": true}})", "OutOfSync", "Healthy", R"(,
      "conditions": [{"type": "SyncError", "message": "auto-sync will wipe out all resources"}])"));
  wait.changed();
  EXPECT_THAT(wait.decide().reason, HasSubstr("auto-sync will wipe out all resources"));
}

constexpr const char* kPinned =
    R"(, "operationState": {"phase": "Running", "retryCount": 7, "message": "Retrying operation. Attempt #7",
        "operation": {"retry": {"limit": -1}, "sync": {"revision": "old"}}})";

TEST(ArgocdAnswers, APinnedOperation_EndsTheWait_OrIsEndedWithConsent) {
  Waiting plain("{apps: all, grace: 5s}");
  plain.api.put(kApps + "demo", application("{}", "Synced", "Healthy", kPinned));
  plain.decide();
  plain.changed();
  EXPECT_EQ(plain.decide().kind, Decision::Kind::kBlocked);
  Waiting wait("{apps: all, grace: 5s, terminatePinned: true}");
  wait.api.put(kApps + "demo", application("{}", "Synced", "Healthy", kPinned));
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "it may end by itself";
  wait.changed();
  Decision decision = wait.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  wait.act("terminate-demo");
  const boost::json::value* live = wait.api.find(kApps + "demo");
  EXPECT_EQ(kube::text_at(*live, {"status", "operationState", "phase"}), "Terminating");
  EXPECT_EQ(kube::text_at(*live, {"metadata", "annotations", "argocd.argoproj.io/refresh"}),
            "normal");
}

TEST(ArgocdAnswers, AnOperationThatGoesOnAfterItsEnd_IsEndedAgain) {
  Waiting wait("{apps: all, grace: 5s, terminatePinned: true}");
  wait.api.put(kApps + "demo", application("{}", "Synced", "Healthy", kPinned));
  EXPECT_EQ(end_of(wait).kind, Decision::Kind::kAct);
  wait.act("terminate-demo");
  wait.api.put(kApps + "demo", application("{}", "Synced", "Healthy", kPinned));
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "it was just asked";
  EXPECT_EQ(end_of(wait).kind, Decision::Kind::kAct);
}

TEST(ArgocdAnswers, AnOperationThatEndsByItselfMeanwhile_IsNotEnded) {
  Waiting wait("{apps: all, grace: 5s, terminatePinned: true}");
  wait.api.put(kApps + "demo", application("{}", "Synced", "Healthy", kPinned));
  wait.decide();
  wait.changed();
  ASSERT_EQ(wait.decide().kind, Decision::Kind::kAct);
  const auto ended = application("{}", "Synced", "Healthy", R"(,
      "operationState": {"phase": "Succeeded"})");
  wait.http.handler = [&wait, ended,
                       inner = wait.http.handler](HttpRequest request) -> Task<HttpResponse> {
    if (request.method == "PATCH") wait.api.put(kApps + "demo", ended);
    co_return co_await inner(std::move(request));
  };
  try {
    wait.act("terminate-demo");
    ADD_FAILURE() << "it has changed since it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kTransient) << "to be looked at again";
  }
  EXPECT_EQ(kube::text_at(*wait.api.find(kApps + "demo"), {"status", "operationState", "phase"}),
            "Succeeded");
  wait.act("terminate-demo");
  EXPECT_EQ(wait.api.writes.size(), 1u) << "it is over: nothing is asked for";
}

TEST(ArgocdAnswers, WhatFailedLast_IsSaidWhileItIsTriedAgain) {
  Waiting wait("apps: all");
  auto trying = [](const std::string& result) {
    return application("{}", "OutOfSync", "Missing",
                       R"(, "operationState": {"phase": "Running", "retryCount": 1, "message": "m",
                           "operation": {"retry": {"limit": 5}}, "syncResult": )" +
                           result + "}");
  };
  wait.api.put(kApps + "demo", trying(R"({"resources": [{"kind": "Service", "name": "web", "status":
      "SyncFailed", "message": "refused"}]})"));
  EXPECT_THAT(wait.decide().reason, HasSubstr("retry 1 of 5: 1 of 1 resource failed: Service web"));
  wait.api.put(kApps + "demo", trying("null"));
  wait.changed();
  EXPECT_THAT(wait.decide().reason, HasSubstr("retry 1 of 5: 1 of 1 resource failed: Service web"));
}

TEST(ArgocdAnswers, AnErrorFromBeforeThisRun_IsLookedAtAgainFirst) {
  Waiting wait("{apps: all, grace: 5s}");
  wait.api.put(kApps + "demo", application("{}", "Unknown", "Healthy", R"(, "conditions": [
      {"type": "ComparisonError", "message": "m", "lastTransitionTime": "1970-01-01T00:00:00Z"}])"));
  Decision decision = wait.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  wait.act("refresh-demo");
  EXPECT_EQ(kube::text_at(*wait.api.find(kApps + "demo"),
                          {"metadata", "annotations", "argocd.argoproj.io/refresh"}),
            "hard");
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "asked once";
  wait.changed();
  wait.changed();
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kBlocked);
}

TEST(ArgocdAnswers, ASetThatGeneratesTooFew_IsAskedAgain_ThenEndsTheWait) {
  Waiting wait("{apps: all, grace: 5s, atLeast: 0, sets: {shops: 2}}");
  EXPECT_THAT(wait.decide().reason, HasSubstr("ApplicationSet shops: is not there yet"));
  wait.api.put(kSets + "shops", boost::json::parse(R"({"kind": "ApplicationSet", "status":
      {"conditions": [{"type": "ResourcesUpToDate", "status": "True"}]}})"));
  wait.changed();
  Decision decision = wait.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  wait.act("refresh-set-shops");
  EXPECT_EQ(
      kube::text_at(*wait.api.find(kSets + "shops"),
                    {"metadata", "annotations", "argocd.argoproj.io/application-set-refresh"}),
      "true");
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "it was just asked";
  decision = end_of(wait);
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_EQ(decision.reason, "ApplicationSet shops: has generated 0 of at least 2 Applications");
}

TEST(ArgocdAnswers, CommitsThatAreNotPushed_AreSaidBeforeAnything_AndEndTheWait) {
  Waiting wait("{apps: all, grace: 5s, repository: /repo}");
  wait.ahead = "2\n";
  wait.api.put(kApps + "demo", application(R"({"automated": {}})", "Synced", "Healthy"));
  Decision decision = wait.decide();
  EXPECT_THAT(wait.published(), HasSubstr("2 commits are not pushed to origin/main"));
  EXPECT_THAT(decision.reason, HasSubstr("is at revision aaaaaaaa, not at bbbbbbbb (HEAD of the "
                                         "repository): bbbbbbbb is not pushed"));
  ASSERT_EQ(decision.kind, Decision::Kind::kAct) << "Argo CD may not have looked yet";
  wait.act(decision.actions[0].id);
  EXPECT_EQ(wait.decide().kind, Decision::Kind::kWait) << "it was just asked";
  decision = end_of(wait);
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_EQ(decision.hint, "push it: git push");
}

TEST(ArgocdAnswers, AnOperationAtWhatIsPushed_IsNotEndedForWhatIsNot) {
  Waiting wait("{apps: all, grace: 5s, repository: /repo, terminatePinned: true}");
  wait.ahead = "1\n";
  std::string operation = kPinned;
  operation.replace(operation.find("\"old\""), 5, "\"aaaaaaaa\"");
  wait.api.put(kApps + "demo", application("{}", "OutOfSync", "Healthy", operation));
  Clock& clock = wait.context().world().clock;
  wait.decide();
  wait.run(clock.sleep_until(clock.now() + std::chrono::seconds(6)));
  Decision decision = wait.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait) << decision.reason;
  EXPECT_EQ(decision.reason.find("pinned"), std::string::npos) << decision.reason;
}

TEST(ArgocdAnswers, WhatMayNotBeRead_IsLeftOutOfTheExplanation) {
  for (const char* health : {"Degraded", "Suspended"}) {
    Waiting wait("apps: all");
    wait.context().read_only = true;
    wait.http.handler = [inner = wait.http.handler](HttpRequest request) -> Task<HttpResponse> {
      if (request.url.find("/services/") == std::string::npos)
        co_return co_await inner(std::move(request));
      co_return kube::status_response(403, "Forbidden", "User \"u\" cannot get services");
    };
    wait.api.put("/apis/apps/v1/namespaces/a/deployments/web",
                 boost::json::parse(R"({"apiVersion": "apps/v1", "kind": "Deployment",
                     "spec": {"paused": true, "replicas": 1}})"));
    wait.api.put(kApps + "demo", application(R"({"automated": {}})", "Synced", health, R"(,
        "resources": [{"version": "v1", "kind": "Service", "namespace": "a", "name": "web"},
                      {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "a",
                       "name": "web"}])"));
    std::string reason = wait.observe().reason;
    EXPECT_THAT(reason, HasSubstr("Deployment a/web")) << health;
    EXPECT_EQ(reason.find("Service a/web"), std::string::npos) << reason;
  }
}

TEST(ArgocdAnswers, WhatIsPaused_IsNamed) {
  Waiting wait("apps: all");
  wait.context().read_only = true;
  wait.api.put("/apis/apps/v1/namespaces/a/deployments/web",
               boost::json::parse(R"({"spec": {"paused": true}})"));
  wait.api.put(kApps + "demo", application(R"({"automated": {}})", "Synced", "Suspended", R"(,
      "resources": [{"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "a",
                     "name": "web"}])"));
  EXPECT_THAT(wait.observe().reason, HasSubstr("Deployment a/web is paused (spec.paused)"));
}

}  // namespace
}  // namespace blackstart::stages
