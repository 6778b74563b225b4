// Finding tools, and whether they are fit for who asks.
#include "orchestrator/engine/tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/world/async.h"
#include "tests/simulation/world/sim_world.h"

namespace blackstart::sim {
namespace {

Task<Exit> version_three(Command) {
  Exit exit;
  exit.out = "v3.12.1";
  co_return exit;
}

Task<void> require(engine::Tools& tools, engine::ToolProbe probe, engine::Tool& found) {
  found = co_await tools.require("helm", std::move(probe));
}

Task<void> require_all(engine::Tools& tools, Executor executor, std::vector<engine::Tool>& found) {
  TaskGroup group(executor);
  for (engine::Tool& tool : found) group.spawn(require(tools, {{"version"}, "", ""}, tool));
  co_await group.join();
}

class ToolsTest : public testing::Test {
 protected:
  ToolsTest() {
    world.environment().variables["PATH"] = "/bin";
    world.files().add("/bin/helm", "", 0755);
    world.processes().on_run = version_three;
  }

  /// The version, or why it does not do.
  std::string ask(std::string minimum, std::string maximum_below) {
    engine::ToolProbe probe{{"version"}, std::move(minimum), std::move(maximum_below)};
    engine::Tool found;
    try {
      world.run(require(tools, std::move(probe), found));
    } catch (const Error& error) {
      return error.summary();
    }
    return found.version;
  }

  SimWorld world{1};
  engine::Tools tools{world.world(), {}};
};

TEST_F(ToolsTest, Versions_AreAskedForOnceAndCheckedForEachCaller) {
  EXPECT_EQ(ask("", ""), "3.12.1");
  EXPECT_THAT(ask("3.13.0", ""), testing::HasSubstr("too old: at least 3.13.0"));
  EXPECT_THAT(ask("", "3.12.0"), testing::HasSubstr("too new: below 3.12.0"));
  EXPECT_EQ(ask("3.12.0", "4.0.0"), "3.12.1");
  EXPECT_EQ(world.processes().started(), 1);
}

TEST_F(ToolsTest, Versions_AreAskedForOnceByManyAtATime) {
  Clock& clock = world.world().clock;
  world.processes().on_run = [&clock](Command command) -> Task<Exit> {
    co_await clock.sleep_until(clock.now() + std::chrono::seconds(1));
    co_return co_await version_three(std::move(command));
  };
  std::vector<engine::Tool> found(5);
  world.run(require_all(tools, world.world().executor, found));
  EXPECT_EQ(world.processes().started(), 1);
  for (const engine::Tool& tool : found) EXPECT_EQ(tool.version, "3.12.1");
}

}  // namespace
}  // namespace blackstart::sim
