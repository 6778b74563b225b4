// helm.release as a whole: what it runs, and what it makes of a helm that died.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/bench.h"
#include "tests/unit/stages/helm_fixture.h"

namespace blackstart::stages::helm {
namespace {

using engine::Decision;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* kMark = "/state/stages/tested/helm-at-work.json";

struct ReleaseBench : Bench {
  ReleaseBench()
      : Bench("helm.release", "{release: web, namespace: web, chart: {path: c}}",
              {{"/p/c/Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0}"}}) {
    processes.handler = [](const Command&) {
      Exit exit;
      exit.out = "v3.21.4";
      return exit;
    };
  }

  /// A release that some helm is installing just now.
  void install_at_work() {
    auto now = context().world().clock.wall_time().time_since_epoch();
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    api.put("/api/v1/namespaces/web/secrets/sh.helm.release.v1.web.v1",
            release_secret(1, "pending-install", "{}", "", "", seconds));
  }
};

TEST(HelmReleaseRun, TheContextThatWasVerified_IsTheOneThatHelmIsTold) {
  ReleaseBench bench;
  ASSERT_EQ(bench.decide().kind, Decision::Kind::kAct);
  std::string& kubeconfig = bench.files.content["/p/kubeconfig"];
  kubeconfig.replace(kubeconfig.find("current-context: test"), 21, "current-context: prod");
  bench.act("install");
  EXPECT_THAT(bench.processes.ran, Contains(HasSubstr("--kube-context test")));
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

}  // namespace
}  // namespace blackstart::stages::helm
