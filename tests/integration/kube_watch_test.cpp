// The informer on a real API server that goes away and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/kube/watch.h"
#include "orchestrator/world/async.h"
#include "tests/integration/real_cluster.h"

namespace blackstart::test {
namespace {

using kube::Informer;
using kube::Selection;

class KubeWatch : public OnRealCluster {
 protected:
  void create(const std::string& name) {
    const Ran made = cluster().kubectl({"create", "configmap", name, "-n", name_space()});
    ASSERT_EQ(made.code, 0) << made.all();
  }

  // Waits until the informer knows an object of that name.
  void wait_for(Informer& informer, const std::string& name) {
    const Instant deadline = client().world().clock.now() + std::chrono::seconds(60);
    run(within(client().world().clock, deadline, "nothing was seen of " + name,
               seen(informer, name_space(), name)));
  }

  static Task<void> seen(Informer& informer, std::string name_space, std::string name) {
    while (!informer.find(name_space, name)) co_await informer.changed();
  }
};

TEST_F(KubeWatch, SeesWhatComesWhileItLooks) {
  Informer informer(client(), Selection("v1", "ConfigMap", name_space()));
  run(informer.start());
  create("one");
  wait_for(informer, "one");
  run(informer.stop());
}

TEST_F(KubeWatch, GoesOnAfterTheApiServerWasKilled_AndMissesNothing) {
  Informer informer(client(), Selection("v1", "ConfigMap", name_space()));
  run(informer.start());
  create("before");
  wait_for(informer, "before");
  cluster().kill_api_server();
  const Instant down_for = client().world().clock.now() + std::chrono::seconds(2);
  run(client().world().clock.sleep_until(down_for));
  EXPECT_FALSE(informer.trouble().empty());
  cluster().start_api_server();
  ASSERT_TRUE(eventually(
      [&] {
        return cluster().kubectl({"get", "--raw", "/readyz"}).code == 0;
      },
      std::chrono::seconds(60)));
  create("after");
  wait_for(informer, "after");
  EXPECT_TRUE(informer.find(name_space(), "before"));
  EXPECT_EQ(informer.trouble(), "");
  run(informer.stop());
}

TEST_F(KubeWatch, OfADefinitionThatComesLater) {
  Informer informer(client(), Selection("late.blackstart.dev/v1", "Late"));
  run(informer.start());
  EXPECT_FALSE(informer.known());
  apply(read(R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lates.late.blackstart.dev}
spec:
  group: late.blackstart.dev
  scope: Cluster
  names: {plural: lates, kind: Late}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: late.blackstart.dev/v1
kind: Late
metadata: {name: train}
)"));
  const Instant deadline = client().world().clock.now() + std::chrono::seconds(30);
  run(within(client().world().clock, deadline, "the kind was not noticed",
             seen(informer, "", "train")));
  run(informer.stop());
}

}  // namespace
}  // namespace blackstart::test
