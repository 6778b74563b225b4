#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "orchestrator/kube/readiness.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {
namespace {

using boost::json::parse;
using testing::HasSubstr;
using Kind = Verdict::Kind;

constexpr const char* kHead = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// One that is done; tests change what they are about.
boost::json::value done() {
  return parse(R"({
    "metadata": {"name": "demo", "namespace": "argocd"},
    "spec": {"source": {"repoURL": "file:///repo", "path": "apps", "targetRevision": "main"},
             "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}},
    "status": {
      "sync": {"status": "Synced", "revision": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
               "comparedTo": {"source": {"repoURL": "file:///repo", "path": "apps", "targetRevision": "main"}}},
      "health": {"status": "Healthy"},
      "operationState": {"phase": "Succeeded",
                         "syncResult": {"revision": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
      "resources": [{"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "demo", "name": "web",
                     "status": "Synced"},
                    {"group": "argoproj.io", "version": "v1alpha1", "kind": "Application",
                     "namespace": "argocd", "name": "child", "status": "Synced"},
                    {"version": "v1", "kind": "ConfigMap", "namespace": "demo", "name": "cm", "status": "OutOfSync"}]
    }})");
}

void merge(boost::json::value& into, const boost::json::value& from) {
  if (!into.is_object() || !from.is_object()) {
    into = from;
    return;
  }
  for (const auto& [key, value] : from.get_object()) merge(into.get_object()[key], value);
}

/// `done` with a change laid over it; null takes away.
boost::json::value changed(const char* change) {
  boost::json::value application = done();
  merge(application, parse(change));
  return application;
}

Verdict judge(const char* change) {
  boost::json::value application = changed(change);
  return judge_application(application, [](const Source& source) {
    return source.repo_url == "file:///repo" ? std::optional(Expected{kHead}) : std::nullopt;
  });
}

using State = kube::Readiness::State;

struct BothRow {
  const char* change;
  State readiness;
  Kind verdict;
};

/// What argocd.app and kube.wait go by (readiness), and what argocd.wait does (the verdict).
TEST(Application, BothRules_AgreeOnWhatIsDone) {
  const std::vector<BothRow> rows = {
      {"{}", State::kReady, Kind::kDone},
      {R"({"status": null})", State::kProgressing, Kind::kProgressing},
      {R"({"status": {"health": {"status": "Progressing"}}})", State::kProgressing,
       Kind::kProgressing},
      {R"({"status": {"sync": {"status": "OutOfSync"}}})", State::kProgressing, Kind::kProgressing},
      {R"({"operation": {"sync": {}}})", State::kProgressing, Kind::kProgressing},
      {R"({"status": {"operationState": {"phase": "Running"}}})", State::kProgressing,
       Kind::kProgressing},
      {R"({"status": {"operationState": {"phase": "Failed"}}})", State::kFailed, Kind::kStuck},
      {R"({"status": {"conditions": [{"type": "ComparisonError"}]}})", State::kFailed,
       Kind::kStuck},
      {R"({"status": {"conditions": [{"type": "InvalidSpecError"}]}})", State::kFailed,
       Kind::kStuck},
      {R"({"status": {"conditions": [{"type": "UnknownError"}]}})", State::kFailed, Kind::kStuck},
      {R"({"status": {"conditions": [{"type": "OrphanedResourceWarning"}]}})", State::kReady,
       Kind::kDone},
      // argocd.wait has a grace before "stuck" counts; readiness, which has none, says less.
      {R"({"status": {"conditions": [{"type": "ComparisonError", "message": "connection refused"}]}})",
       State::kProgressing, Kind::kStuck},
      {R"({"spec": {"syncPolicy": null}, "status": {"sync": {"status": "OutOfSync"}}})",
       State::kProgressing, Kind::kStuck},
  };
  for (const BothRow& row : rows) {
    boost::json::value application = changed(row.change);
    application.as_object()["apiVersion"] = "argoproj.io/v1alpha1";
    application.as_object()["kind"] = "Application";
    EXPECT_EQ(kube::readiness_of(application).state, row.readiness) << row.change;
    EXPECT_EQ(judge(row.change).kind, row.verdict) << row.change;
  }
}

struct Row {
  const char* change;
  Kind kind;
  const char* reason;
};

TEST(Application, DoneIsSyncedHealthySucceededAndAtTheRevision) {
  const std::vector<Row> rows = {
      {"{}", Kind::kDone, "Synced, Healthy"},
      {R"({"status": null})", Kind::kProgressing, "was not looked at"},
      {R"({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})", Kind::kProgressing,
       "is being deleted"},
      {R"({"status": {"health": {"status": "Progressing"}}})", Kind::kProgressing,
       "Synced, Progressing"},
      {R"({"status": {"health": {"status": "Degraded", "message": "no luck"}}})",
       Kind::kProgressing, "Synced, Degraded: no luck"},
      {R"({"status": {"health": null}})", Kind::kProgressing, "Synced, Unknown"},
      {R"({"status": {"health": {"status": "Suspended"}}})", Kind::kStuck, "Suspended"},
      {R"({"status": {"sync": {"revision": "bbbbbbbbbbbb"}}})", Kind::kStale,
       "is at revision bbbbbbbb, not at aaaaaaaa"},
      {R"({"spec": {"source": {"path": "elsewhere"}}})", Kind::kProgressing,
       "was not compared with Git yet"},
      {R"({"spec": {"source": {"helm": {"valueFiles": ["b.yaml"]}}},
           "status": {"sync": {"comparedTo": {"source": {"helm": {"valueFiles": ["a.yaml"]}}}}}})",
       Kind::kProgressing, "was not compared with Git yet"},
      {R"({"spec": {"destination": {"namespace": "new"}},
           "status": {"sync": {"comparedTo": {"destination": {"namespace": "old"}}}}})",
       Kind::kProgressing, "was not compared with Git yet"},
      {R"({"status": {"sync": {"comparedTo": null}}})", Kind::kProgressing,
       "was not compared with Git yet"},
      {R"({"spec": {"source": {"directory": {"recurse": false}, "helm": {"parameters": [{"name": "a", "forceString": false}]}}},
           "status": {"sync": {"comparedTo": {"source": {"directory": {"jsonnet": {}}, "helm": {"parameters": [{"name": "a"}]}}}}}})",
       Kind::kDone, "Synced"},
      {R"({"status": {"operationState": {"phase": "Running", "message": "waiting for x"}}})",
       Kind::kProgressing, "is being synced: waiting for x"},
      {R"({"operation": {"sync": {}}})", Kind::kProgressing, "is being synced"},
      {R"({"status": {"operationState": {"phase": "Failed", "message": "one failed"}}})",
       Kind::kStuck, "its last sync failed: one failed"},
      {R"({"status": {"operationState": {"phase": "Error"}}})", Kind::kStuck,
       "its last sync ended in an error"},
      {R"({"status": {"operationState": null}})", Kind::kDone, "Synced"},
      {R"({"status": {"sync": {"status": "OutOfSync"}}})", Kind::kProgressing,
       "OutOfSync, Healthy: ConfigMap demo/cm"},
      {R"({"status": {"sync": {"status": "OutOfSync"}}, "spec": {"syncPolicy": null}})",
       Kind::kStuck, "by hand only"},
      {R"({"status": {"sync": {"status": "OutOfSync"}},
           "spec": {"syncPolicy": {"automated": {"enabled": false}}}})",
       Kind::kStuck, "by hand only"},
      {R"({"status": {"sync": {"status": "OutOfSync"}},
           "spec": {"syncPolicy": {"automated": {"selfHeal": false}}}})",
       Kind::kStuck, "selfHeal is off"},
      {R"({"status": {"conditions": [{"type": "ComparisonError", "message": "app path does not exist"}]}})",
       Kind::kStuck, "ComparisonError: app path does not exist"},
      {R"({"status": {"conditions": [{"type": "InvalidSpecError", "message": "project x does not exist"}]}})",
       Kind::kStuck, "InvalidSpecError: project x"},
      {R"({"status": {"conditions": [{"type": "OrphanedResourceWarning", "message": "3"}]}})",
       Kind::kDone, "Synced"},
  };
  for (const Row& row : rows) {
    Verdict verdict = judge(row.change);
    EXPECT_EQ(verdict.kind, row.kind) << row.change << " -> " << verdict.reason;
    EXPECT_THAT(verdict.reason, HasSubstr(row.reason)) << row.change;
    EXPECT_EQ(verdict.application, "demo");
    EXPECT_EQ(verdict.hint.empty(), row.kind != Kind::kStuck) << row.change;
  }
}

TEST(Application, AFailureAtAnOldRevision_IsStaleNotStuck) {
  Verdict verdict =
      judge(R"({"status": {"sync": {"revision": "bbbb"}, "operationState": {"phase": "Failed"}}})");
  EXPECT_EQ(verdict.kind, Kind::kStale);
  EXPECT_EQ(verdict.expected, kHead);
}

TEST(Application, AFailedSync_NamesTheResourcesThatFailed) {
  Verdict verdict =
      judge(R"({"status": {"operationState": {"phase": "Failed", "syncResult": {"resources": [
      {"kind": "Job", "namespace": "demo", "name": "ok", "status": "Synced", "message": "created"},
      {"kind": "Service", "namespace": "demo", "name": "web", "status": "SyncFailed", "message": "port taken"},
      {"kind": "Job", "namespace": "demo", "name": "hook", "hookPhase": "Failed", "message": "exit 1"}]}}}})");
  EXPECT_THAT(verdict.causes,
              testing::ElementsAre("Service demo/web: port taken", "Job demo/hook: exit 1"));
}

TEST(Application, SeveralSources_AreEachComparedWithTheirOwnRevision) {
  boost::json::value application = done();
  merge(application, parse(R"({
    "spec": {"source": null, "sources": [{"repoURL": "https://charts", "chart": "argo-cd", "targetRevision": "9.3.7"},
                                         {"repoURL": "file:///repo", "ref": "values"}]},
    "status": {"sync": {"comparedTo": null, "revision": null, "revisions": ["9.3.7", "bbbb"]}}})"));
  auto sources = sources_of(application);
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_FALSE(sources[0].is_git());
  EXPECT_EQ(sources[1].target_revision, "HEAD");
  EXPECT_EQ(sources[1].revision, "bbbb");
  auto none = [](const Source&) { return std::optional<Expected>(); };
  EXPECT_THAT(judge_application(application, none).reason, HasSubstr("was not compared with Git"));
  merge(application, parse(R"({"status": {"sync": {"comparedTo": {"sources": [
      {"repoURL": "https://charts", "chart": "argo-cd", "targetRevision": "9.3.7"},
      {"repoURL": "file:///repo", "ref": "values"}]}}}})"));
  EXPECT_EQ(judge_application(application, none).kind, Kind::kDone);
}

TEST(Application, SeveralSources_DriftThatASyncAtTheseRevisionsLeft_Stays) {
  boost::json::value application = done();
  merge(application, parse(R"({
    "spec": {"source": null, "sources": [{"repoURL": "a"}, {"repoURL": "b"}],
             "syncPolicy": {"automated": {"selfHeal": false}}},
    "status": {"sync": {"status": "OutOfSync", "revision": null, "revisions": ["1", "3"],
                        "comparedTo": {"source": null, "sources": [{"repoURL": "a"}, {"repoURL": "b"}]}},
               "operationState": {"syncResult": {"revision": null, "revisions": ["1", "2"]}}}})"));
  auto none = [](const Source&) { return std::optional<Expected>(); };
  EXPECT_EQ(judge_application(application, none).kind, Kind::kProgressing) << "2 was tried, not 3";
  merge(application,
        parse(R"({"status": {"operationState": {"syncResult": {"revisions": ["1", "3"]}}}})"));
  EXPECT_EQ(judge_application(application, none).kind, Kind::kStuck);
}

TEST(Application, ChildrenAndWorkloads_AreFoundAmongItsResources) {
  auto children = children_of(done(), "Application");
  ASSERT_EQ(children.size(), 1u);
  EXPECT_EQ(children[0].name, "child");
  auto workloads = workloads_of(done());
  ASSERT_EQ(workloads.size(), 1u);
  EXPECT_EQ(workloads[0].api_version, "apps/v1");
  EXPECT_EQ(workloads[0].to_string(), "Deployment demo/web");
}

}  // namespace
}  // namespace blackstart::stages::argocd
