#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "orchestrator/base/text.h"
#include "stages/argocd/handover.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kArgocd = "/apis/argoproj.io/v1alpha1/namespaces/argocd/";

const char* kRoot = R"(apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: root, namespace: argocd}
spec: {project: default, source: {repoURL: "file:///r", path: a}, destination: {namespace: a}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
)";

TEST(ArgocdApp, AFile_GivesItsApplicationsAndSaysWhatItLeavesOut) {
  Bench bench("argocd.app", "file: root.yaml", {{"/p/root.yaml", kRoot}});
  Decision decision = bench.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_THAT(decision.actions[0].details, ElementsAre("+ Application argocd/root"));
  EXPECT_THAT(bench.published(), HasSubstr("ConfigMap other in root.yaml is left out"));
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_EQ(bench.converge(), 0) << "a second look finds it in place";
}

TEST(ArgocdApp, WithoutANamespace_ItGoesWhereArgoCdIs) {
  Bench bench("argocd.app",
              R"(inline: {apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a},
         spec: {project: default, source: {repoURL: x}, destination: {namespace: a}}})");
  bench.converge();
  EXPECT_NE(bench.api.find(kArgocd + "applications/a"), nullptr);
}

TEST(ArgocdApp, QuestionableSpecs_AreWarnedAbout) {
  Bench bench("argocd.app",
              R"(inline: {apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a},
         spec: {project: mine, source: {repoURL: x}, sources: [{repoURL: y}]}})");
  bench.observe();
  for (const char* warning :
       {"both `source` and `sources`", "has no destination", "is in project mine"})
    EXPECT_THAT(bench.published(), HasSubstr(warning));
}

TEST(ArgocdApp, AFileWithoutOne_IsAUsageError) {
  Bench bench("argocd.app", "file: cm.yaml",
              {{"/p/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"}});
  EXPECT_THROW(bench.observe(), Error);
}

TEST(ArgocdApp, OnceArgoCdTracksIt_DifferencesAreLeftToArgoCd) {
  Bench bench("argocd.app", "file: root.yaml", {{"/p/root.yaml", kRoot}});
  bench.converge();
  boost::json::value live = *bench.api.find(kArgocd + "applications/root");
  live.as_object()["spec"].as_object()["source"].as_object()["path"] = "changed in Git";
  live.as_object()["metadata"].as_object()["annotations"] = {
      {"argocd.argoproj.io/tracking-id", "root:argoproj.io/Application:argocd/root"}};
  bench.api.put(kArgocd + "applications/root", live);
  bench.api.writes.clear();
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason, HasSubstr("handed over to Argo CD's Application root"));
  EXPECT_THAT(bench.api.writes, IsEmpty());
  bench.api.erase(kArgocd + "applications/root");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kAct) << "what is gone is brought back";
}

TEST(Handover, OnlyWhatArgoCdItselfMarkedCounts) {
  using argocd::tracked_by;
  auto parse = [](const char* metadata) {
    return boost::json::parse(std::string("{\"metadata\": ") + metadata + "}");
  };
  EXPECT_EQ(
      tracked_by(parse(
          R"({"annotations": {"argocd.argoproj.io/tracking-id": "demo:apps/Deployment:a/b"}})")),
      "demo");
  EXPECT_EQ(tracked_by(parse(R"({"labels": {"app.kubernetes.io/instance": "argocd"}})")),
            std::nullopt)
      << "charts set this label too";
  EXPECT_EQ(tracked_by(parse(R"({"labels": {"app.kubernetes.io/instance": "argocd"},
                                 "managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]})")),
            "argocd");
  EXPECT_EQ(tracked_by(parse("{}")), std::nullopt);
}

TEST(ArgocdRepository, Credentials_ReachTheSecretAndNothingElse) {
  Bench bench("argocd.repository",
              R"({name: lab, url: "https://git/lab", type: git, project: homelab,
         credentials: {username: me, passwordFromEnv: GIT_TOKEN, sshPrivateKeyFile: key}})",
              {{"/p/key", "-----KEY-----\nabc\n"}});
  bench.environment.variables["GIT_TOKEN"] = "hunter2-token";
  bench.converge();
  const boost::json::value* secret = bench.api.find("/api/v1/namespaces/argocd/secrets/lab");
  ASSERT_NE(secret, nullptr);
  EXPECT_EQ(kube::text_at(*secret, {"metadata", "labels", "argocd.argoproj.io/secret-type"}),
            "repository");
  EXPECT_EQ(kube::text_at(*secret, {"data", "password"}), base64_encode("hunter2-token"));
  EXPECT_EQ(kube::text_at(*secret, {"data", "sshPrivateKey"}),
            base64_encode("-----KEY-----\nabc\n"));
  EXPECT_EQ(kube::text_at(*secret, {"data", "username"}), base64_encode("me"));
  EXPECT_THAT(bench.published(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(bench.published(), Not(HasSubstr(base64_encode("hunter2-token"))));
}

TEST(ArgocdRepository, AMissingVariable_IsNamedWhereItIsNeeded) {
  Bench bench("argocd.repository", "{name: lab, url: u, credentials: {passwordFromEnv: TOKEN}}");
  auto expect_missing = [&bench] {
    try {
      bench.decide();
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
      EXPECT_THAT(error.summary(), HasSubstr("TOKEN is not set"));
    }
  };
  expect_missing();
  EXPECT_EQ(bench.observe().state, engine::Observation::State::kAbsent);
  EXPECT_THAT(bench.api.writes, IsEmpty());
}

TEST(ArgocdRepository, AMissingVariable_StatusSaysWhatIsThereAndRemovalDoesWithout) {
  const char* with = "{name: lab, url: u, credentials: {passwordFromEnv: TOKEN}}";
  Bench made("argocd.repository", with);
  made.environment.variables["TOKEN"] = "hunter2-token";
  made.converge();
  Bench later("argocd.repository", with);
  later.api.put("/api/v1/namespaces/argocd/secrets/lab",
                *made.api.find("/api/v1/namespaces/argocd/secrets/lab"));
  EXPECT_THAT(later.observe().reason,
              HasSubstr("whether repository lab is as wanted cannot be told"));
  EXPECT_THROW(later.decide(), Error);
  EXPECT_EQ(later.decide_removal().kind, Decision::Kind::kAct);
  later.act("remove");
  EXPECT_EQ(later.api.find("/api/v1/namespaces/argocd/secrets/lab"), nullptr);
}

}  // namespace
}  // namespace blackstart::stages
