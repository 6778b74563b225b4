// A helm killed while it uninstalls: what it leaves is no release that can be upgraded.
#include <gtest/gtest.h>

#include "tests/simulation/outside/homelab.h"
#include "tests/simulation/outside/starter.h"

namespace blackstart::sim {
namespace {

constexpr const char* kPlan = R"(apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: web}
spec:
  cluster:
    kubeconfig: ${{ stages.cluster.outputs.kubeconfig }}
    context: ${{ stages.cluster.outputs.context }}
  stages:
    - {name: cluster, uses: kwok.cluster, with: {nodes: 1}}
    - {name: web, uses: helm.release, with: {release: web, namespace: default, chart: {path: web}}}
)";

const kube::ObjectRef kObject("v1", "ConfigMap", "default", "web");

class HelmUninstall : public testing::Test {
 protected:
  HelmUninstall() {
    auto add = [this](const std::string& file, const std::string& text) {
      homelab.world().files().add(std::string(kRepository) + "/" + file, text);
    };
    add("plan.yaml", kPlan);
    add("web/Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0}\n");
    add("web/values.yaml", "{}\n");
    add("web/templates/web.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}\n");
  }
  Outcome destroy_web() {
    return homelab.run({.verb = Verb::kDestroy, .selection = {.only = {"web"}}});
  }
  bool is_there() { return homelab.api()->store().find(kObject) != nullptr; }

  Homelab homelab{1};
};

TEST_F(HelmUninstall, Undisturbed_TakesTheObjectsAndTheRecord) {
  ASSERT_EQ(homelab.run().exit_code, 0);
  EXPECT_TRUE(is_there());
  Outcome gone = destroy_web();
  EXPECT_EQ(gone.exit_code, 0) << gone.transcript();
  EXPECT_FALSE(is_there());
  Outcome again = homelab.run();
  EXPECT_EQ(again.exit_code, 0) << again.transcript();
  EXPECT_TRUE(is_there());
}

#ifdef BLACKSTART_FAILPOINTS
TEST_F(HelmUninstall, KilledWhileItUninstalls_TheNextApplyInstallsAgain) {
  ASSERT_EQ(homelab.run().exit_code, 0);
  destroy_web();
  const std::vector<std::string> points = homelab.world().failpoints();
  for (const char* where : {"outside.helm.uninstalling", "outside.helm.removed"}) {
    SCOPED_TRACE(where);
    auto point = std::ranges::find(points, where);
    ASSERT_NE(point, points.end());
    ASSERT_EQ(homelab.run().exit_code, 0);
    homelab.world().crash_at(static_cast<size_t>(point - points.begin()) + 1);
    ASSERT_EQ(destroy_web().end, End::kCrashed);
    homelab.world().crash_at(0);
    Outcome repaired = homelab.run();
    EXPECT_EQ(repaired.exit_code, 0) << repaired.transcript();
    EXPECT_TRUE(is_there());
    Outcome second = homelab.run();
    EXPECT_TRUE(second.all<events::ActionStarted>().empty()) << second.transcript();
  }
}
#endif

}  // namespace
}  // namespace blackstart::sim
