// helm.release as a whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages::helm {
namespace {

using engine::Decision;
using testing::Contains;
using testing::HasSubstr;

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
};

TEST(HelmReleaseRun, TheContextThatWasVerified_IsTheOneThatHelmIsTold) {
  ReleaseBench bench;
  ASSERT_EQ(bench.decide().kind, Decision::Kind::kAct);
  std::string& kubeconfig = bench.files.content["/p/kubeconfig"];
  kubeconfig.replace(kubeconfig.find("current-context: test"), 21, "current-context: prod");
  bench.act("install");
  EXPECT_THAT(bench.processes.ran, Contains(HasSubstr("--kube-context test")));
}

}  // namespace
}  // namespace blackstart::stages::helm
