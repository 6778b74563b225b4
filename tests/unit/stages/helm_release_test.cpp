// helm.release as a whole: what it runs, and what it makes of a helm that died.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/stages/bench.h"
#include "tests/unit/stages/helm_fixture.h"

namespace blackstart::stages::helm {
namespace {

using engine::Decision;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* kRecord = "/api/v1/namespaces/web/secrets/sh.helm.release.v1.web.v1";
constexpr const char* kMark = "/state/stages/tested/helm-at-work.json";
constexpr const char* kSetFile = "/state/stages/tested/set.json";

struct ReleaseBench : Bench {
  explicit ReleaseBench(const std::string& more = "")
      : Bench("helm.release", "{release: web, namespace: web, chart: {path: c}" + more + "}",
              {{"/p/c/Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0}"}}) {
    processes.handler = [](const Command&) {
      Exit exit;
      exit.out = "v3.21.4";
      return exit;
    };
  }

  /// A release that some helm has begun to install.
  void install_at_work(std::chrono::seconds ago = {}) {
    auto then = context().world().clock.wall_time() - ago;
    auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(then.time_since_epoch()).count();
    api.put(kRecord, release_secret(1, "pending-install", "{}", "", "", seconds));
  }

  void put_config_map(const std::string& name, const std::string& tracking_id) {
    api.put(
        "/api/v1/namespaces/web/configmaps/" + name,
        boost::json::object{
            {"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"annotations", {{"argocd.argoproj.io/tracking-id", tracking_id}}}}}});
  }
};

TEST(HelmReleaseRun, Removal_LeavesAReleaseThatOthersInstalled) {
  ReleaseBench bench;
  bench.api.put(kRecord, release_secret(1, "deployed", "{}", "Install complete"));
  EXPECT_THAT(bench.decide_removal().reason,
              HasSubstr("left in place: release web/web was not installed by blackstart"));
  ASSERT_EQ(bench.decide().kind, Decision::Kind::kAct);
  bench.act("upgrade");
  bench.api.erase(kRecord);
  bench.api.put(kRecord, release_secret(2, "deployed", "{}", "applied by blackstart, inputs x"));
  EXPECT_THAT(bench.decide_removal().reason, HasSubstr("left in place")) << "adopted";
}

TEST(HelmReleaseRun, Removal_TakesTheReleaseThatItInstalled) {
  ReleaseBench bench;
  ASSERT_EQ(bench.decide().kind, Decision::Kind::kAct);
  bench.act("install");
  bench.api.put(kRecord, release_secret(1, "failed", "{}", "Release failed: no"));
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
  bench.api.erase(kRecord);
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kSatisfied);
  bench.api.put(kRecord, release_secret(1, "deployed", "{}", "Install complete"));
  EXPECT_THAT(bench.decide_removal().reason, HasSubstr("left in place"))
      << "somebody installed it since";
}

TEST(HelmReleaseRun, Removal_WithoutMemory_GoesByTheDescription) {
  ReleaseBench bench;
  bench.api.put(kRecord, release_secret(1, "deployed", "{}", "applied by blackstart, inputs x"));
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
}

TEST(HelmReleaseRun, TheContextThatWasVerified_IsTheOneThatHelmIsTold) {
  ReleaseBench bench;
  ASSERT_EQ(bench.decide().kind, Decision::Kind::kAct);
  std::string& kubeconfig = bench.files.content["/p/kubeconfig"];
  kubeconfig.replace(kubeconfig.find("current-context: test"), 21, "current-context: prod");
  bench.act("install");
  EXPECT_THAT(bench.processes.ran, Contains(HasSubstr("--kube-context test")));
}

TEST(HelmReleaseRun, AnExecPluginThatHelmStarts_GetsTheUsersEnvironment) {
  for (bool plugin : {false, true}) {
    ReleaseBench bench;
    bench.environment.variables["AWS_PROFILE"] = "lab";
    bench.environment.variables["HOME"] = "/home/user";
    bench.environment.variables["HELM_DRIVER"] = "memory";
    bench.environment.variables["KUBECONFIG"] = "/another";
    std::string& kubeconfig = bench.files.content["/p/kubeconfig"];
    if (plugin)
      kubeconfig.replace(kubeconfig.find("{token: t}"), 10,
                         "{exec: {command: login, apiVersion: client.authentication.k8s.io/v1, "
                         "interactiveMode: Never}}");
    std::map<std::string, std::string> environment;
    bench.files.content["/tools/login"] = "";
    bench.processes.handler = [&environment](const Command& command) {
      if (command.program == "/tools/login")
        return Exit{.out = R"({"kind": "ExecCredential", "apiVersion":
            "client.authentication.k8s.io/v1", "status": {"token": "t"}})"};
      environment = command.environment;
      return Exit{.out = "v3.21.4"};
    };
    bench.decide();
    bench.act("install");
    EXPECT_EQ(environment.contains("AWS_PROFILE"), plugin);
    EXPECT_EQ(environment["HOME"], plugin ? "/home/user" : "/state/stages/tested/helm");
    EXPECT_EQ(environment.count("HELM_DRIVER") + environment.count("KUBECONFIG"), 0u);
    EXPECT_EQ(environment["HELM_CONFIG_HOME"], "/state/stages/tested/helm/config");
  }
}

TEST(HelmReleaseRun, AMarkOfThisRelease_TellsThatItsHelmIsDead) {
  ReleaseBench bench;
  bench.install_at_work();
  bench.files.content[kMark] = R"({"release": "web/web", "revision": 1})";
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kAct);
}

TEST(HelmReleaseRun, AMarkOfAnotherRelease_SaysNothingAboutThisOne) {
  ReleaseBench bench;
  bench.install_at_work();
  bench.files.content[kMark] = R"({"release": "web/before-the-rename", "revision": 1})";
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("another helm is at work"));
}

TEST(HelmReleaseRun, AnothersHelmThatMayWaitForTwentyMinutes_IsNotRolledBackUnderIt) {
  ReleaseBench bench;
  bench.install_at_work(std::chrono::minutes(21));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("it counts as dead after 1h"));
  bench.install_at_work(std::chrono::minutes(61));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kAct);
}

/// A release that is as wanted but for its Deployment, which gets nowhere.
struct StalledRelease : ReleaseBench {
  StalledRelease() {
    files.content["/p/c/values.yaml"] = "web: {port: 8080}\n";
    files.content["/p/c/templates/a.yaml"] = "kind: ConfigMap\n";
    files.content["/p/c/crds/b.yaml"] = "kind: X\n";
    api.put(kRecord, release_secret(1, "deployed", "{}", "",
                                    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: "
                                    "web}}\n"));
    api.put("/apis/apps/v1/namespaces/web/deployments/web", boost::json::parse(R"({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 1},
        "spec": {"replicas": 1}, "status": {"observedGeneration": 1, "conditions": [{"type": "Progressing", "status": "False",
                                   "reason": "ProgressDeadlineExceeded"}]}})"));
  }
  void pass(Duration time) {
    Clock& clock = context().world().clock;
    run(clock.sleep_until(clock.now() + time));
  }
};

TEST(HelmReleaseRun, WhatHasStalled_EndsTheWaitOnceItHasLasted) {
  StalledRelease bench;
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  bench.pass(std::chrono::seconds(59));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  bench.pass(std::chrono::seconds(1));
  Decision over = bench.decide();
  EXPECT_EQ(over.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(over.reason,
              HasSubstr("1 object of release web/web is not ready: Deployment web/web"));
  EXPECT_THAT(over.reason, HasSubstr("(unchanged for 1m00s)"));
}

/// A Job that is not done.
boost::json::object unready_job(const std::string& moment) {
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", {{"annotations", {{"helm.sh/hook", moment}}}}},
          {"spec", boost::json::object()}};
}

TEST(HelmReleaseRun, AHookThatFails_IsTheReleasesOwn_OfThatMoment) {
  ReleaseBench bench;
  bench.api.put("/apis/batch/v1/namespaces/web/jobs/another-releases", unready_job("pre-install"));
  for (const char* moment : {"post-install", "pre-install"})
    bench.api.put(std::string("/apis/batch/v1/namespaces/web/jobs/our-") + moment,
                  unready_job(moment));
  bench.processes.handler = [&bench](const Command& command) {
    if (command.args.front() == "version") return Exit{.out = "v3.21.4"};
    std::string hooks;
    for (std::string moment : {"post-install", "pre-install"})
      hooks += "---\n{apiVersion: batch/v1, kind: Job, metadata: {name: our-" + moment +
               ", annotations: {helm.sh/hook: \"post-delete, " + moment + "\"}}}\n";
    bench.api.put(kRecord, release_secret(1, "failed", "{}", "", "", 1700000000, hooks));
    return Exit{.code = 1, .err = "Error: failed pre-install: timed out waiting"};
  };
  bench.decide();
  try {
    bench.act("install");
    ADD_FAILURE() << "helm failed";
  } catch (const Error& error) {
    EXPECT_THAT(error.full_text(), HasSubstr("hook pre-install: Job web/our-pre-install"));
    EXPECT_THAT(error.hint(), HasSubstr("Job web/our-pre-install"));
  }
}

/// A release with `takeOwnership`, and a helm that refuses ConfigMap a without.
struct TakingRelease : ReleaseBench {
  TakingRelease() : ReleaseBench(", takeOwnership: true, set: {password: secret}") {
    processes.handler = [this](const Command& command) { return helm(command.args); };
  }
  Exit helm(const std::vector<std::string>& args) {
    auto has = [&args](const char* word) { return std::ranges::find(args, word) != args.end(); };
    if (has("version")) return Exit{.out = "v3.21.4"};
    given_values = files.content.contains(kSetFile);
    if (has("--dry-run=server")) return rehearsal;
    taken = taken || has("--take-ownership");
    if (taken || !refuses) return Exit{};
    return Exit{.code = 1,
                .err =
                    "Error: Unable to continue with install: ConfigMap \"a\" in namespace "
                    "\"web\" exists and cannot be imported into the current release"};
  }
  std::optional<Error> install() {
    decide();
    try {
      act("install");
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }
  void put_config_map_of(const std::string& release) {
    boost::json::object annotations{{"meta.helm.sh/release-name", release},
                                    {"meta.helm.sh/release-namespace", "web"}};
    if (release.empty()) annotations.clear();
    api.put("/api/v1/namespaces/web/configmaps/a",
            boost::json::object{{"apiVersion", "v1"},
                                {"kind", "ConfigMap"},
                                {"metadata", {{"annotations", std::move(annotations)}}}});
  }
  Exit rehearsal{.out =
                     R"({"manifest": "{kind: ConfigMap, apiVersion: v1, metadata: {name: a}}"})"};
  bool refuses = true;
  bool taken = false;
  bool given_values = false;
};

TEST(HelmOwnership, WhatBelongsToNobody_IsTaken) {
  TakingRelease bench;
  bench.put_config_map_of("");
  EXPECT_FALSE(bench.install());
  EXPECT_TRUE(bench.taken);
}

TEST(HelmOwnership, WhatBelongsToAnotherRelease_IsNotTaken) {
  TakingRelease bench;
  bench.put_config_map_of("other");
  auto refused = bench.install();
  EXPECT_FALSE(bench.taken);
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->full_text(), HasSubstr("ConfigMap web/a belongs to release web/other"));
}

TEST(HelmOwnership, NothingInTheWay_HelmIsNotToldToTake) {
  TakingRelease bench;
  bench.refuses = false;
  EXPECT_FALSE(bench.install());
  EXPECT_FALSE(bench.taken);
}

TEST(HelmOwnership, GoneMeanwhile_HelmIsNotToldToTake) {
  TakingRelease bench;
  EXPECT_TRUE(bench.install());
  EXPECT_FALSE(bench.taken);
}

TEST(HelmReleaseRun, InlineValues_GoWithTheUpgrade_HoweverItEnds) {
  for (const char* owner : {"", "other"}) {
    TakingRelease bench;
    bench.put_config_map_of(owner);
    EXPECT_EQ(bench.install().has_value(), *owner != 0);
    EXPECT_TRUE(bench.given_values);
    EXPECT_FALSE(bench.files.content.contains(kSetFile)) << owner;
  }
  TakingRelease thrown;
  thrown.put_config_map_of("");
  thrown.rehearsal = {.code = 1, .err = "Error: connection reset by peer"};
  EXPECT_TRUE(thrown.install());
  EXPECT_FALSE(thrown.files.content.contains(kSetFile));
}

struct UnknownRow {
  Exit rehearsal;
  ErrorClass error_class;
  const char* words;
};

TEST(HelmOwnership, WhatWouldBeTakenIsNotKnown_NothingIs) {
  const std::vector<UnknownRow> rows = {
      {{.code = 1, .err = "Error: read tcp 10.0.0.1:6443: connection reset by peer"},
       ErrorClass::kTransient,
       "connection reset by peer"},
      {{.code = 1, .err = "Error: resource mapping not found: no matches for kind \"Thing\""},
       ErrorClass::kTransient,
       "no matches for kind"},
      {{.out = "{}", .truncated = true}, ErrorClass::kPermanent, "longer than 64 MiB"},
      {{.out = "hello"}, ErrorClass::kPermanent, "it is no JSON"},
      {{.out = R"({"manifest": "{kind: ConfigMap"})"}, ErrorClass::kUsage, "manifest of release"},
  };
  for (const UnknownRow& row : rows) {
    TakingRelease bench;
    bench.put_config_map_of("other");
    bench.rehearsal = row.rehearsal;
    auto failure = bench.install();
    EXPECT_FALSE(bench.taken) << row.words;
    ASSERT_TRUE(failure) << row.words;
    EXPECT_EQ(failure->error_class(), row.error_class) << row.words;
    EXPECT_THAT(failure->full_text(), HasSubstr(row.words));
  }
}

/// A release of two ConfigMaps with other values than the plan's; their tracking IDs.
struct TrackedRelease : ReleaseBench {
  TrackedRelease(const std::string& a, const std::string& b) {
    const char* manifest =
        "{kind: ConfigMap, apiVersion: v1, metadata: {name: a}}\n---\n"
        "{kind: ConfigMap, apiVersion: v1, metadata: {name: b}}\n";
    api.put(kRecord, release_secret(1, "deployed", R"({"other": true})",
                                    "applied by blackstart, inputs x", manifest));
    put_config_map("a", a);
    put_config_map("b", b);
  }
  void put_application() {
    api.put("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop",
            boost::json::object{{"kind", "Application"}});
  }
};

TEST(HelmReleaseRun, OneApplicationTracksAllThatIsThere_ItIsHandedOver) {
  TrackedRelease bench("shop:/ConfigMap:web/a", "shop:/ConfigMap:web/b");
  bench.put_application();
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason, HasSubstr("handed over to Argo CD's Application shop"));
  EXPECT_THAT(bench.decide_removal().reason, HasSubstr("left in place"));
}

TEST(HelmReleaseRun, AnApplicationTracksOneOfItsObjects_TheReleaseIsStillOurs) {
  for (const char* other : {"", "another:/ConfigMap:web/b"}) {
    TrackedRelease bench("shop:/ConfigMap:web/a", other);
    bench.put_application();
    EXPECT_EQ(bench.decide().kind, Decision::Kind::kAct) << other;
    EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct) << other;
  }
}

TEST(HelmReleaseRun, TheApplicationThatItWasHandedOverToIsGone_ItIsOursAgain) {
  TrackedRelease bench("shop:/ConfigMap:web/a", "shop:/ConfigMap:web/b");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kAct);
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
}

}  // namespace
}  // namespace blackstart::stages::helm
