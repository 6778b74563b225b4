// Forty stages in random order, some of which must happen once: killed at every point.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "tests/simulation/sweep.h"
#include "tests/simulation/things.h"

#ifdef BLACKSTART_FAILPOINTS

namespace blackstart::sim {
namespace {

constexpr int kStages = 40;

/// Every stage needs up to three earlier ones; every third must happen once.
std::string random_stages(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int i = 0; i < kStages; ++i) {
    std::string name = "s" + std::to_string(i);
    const char* uses = i % 3 == 0 ? "thing.once" : i % 3 == 1 ? "tool.thing" : "thing";
    std::string needs;
    for (int n = 0; i > 0 && n < static_cast<int>(random() % 4); ++n) {
      std::string need = "s" + std::to_string(random() % static_cast<uint64_t>(i));
      if (needs.find(need + ",") == std::string::npos) needs += need + ",";
    }
    text += "    - {name: " + name + ", uses: " + uses + ", needs: [" + needs +
            "], with: {name: " + name + "}}\n";
  }
  return text;
}

class ThingsUniverse final : public Universe {
 public:
  explicit ThingsUniverse(uint64_t seed) : world_(seed) {
    write_plan(world_, random_stages(seed));
    std::mt19937_64 random(seed + 1);
    for (int i = 0; i < kStages; ++i) {
      Treatment& treatment = outside_.treatments["s" + std::to_string(i)];
      treatment.takes = std::chrono::milliseconds(random() % 3000);
      treatment.answers_late = random() % 2 == 0;
      treatment.settles = std::chrono::milliseconds(random() % 5000);
    }
  }

  SimWorld& world() override { return world_; }
  Outcome run() override { return machine_.apply(); }
  std::string end_state() override { return outside_.end_state(); }
  int writes() override { return outside_.writes(); }
  std::vector<std::string> broken_promises() override {
    std::vector<std::string> broken;
    for (const auto& [effect, times] : outside_.effects) {
      if (effect.starts_with("make ") && times != 1)
        broken.push_back(effect + " happened " + std::to_string(times) + " times");
    }
    return broken;
  }

 private:
  SimWorld world_;
  Things outside_{world_};
  Machine machine_{world_, things_catalog()};
};

TEST(SimulatedSweep, FortyStages_ConvergeFromACrashAtEveryPointAndRepeatNothing) {
  SweepReport report = sweep([] { return std::make_unique<ThingsUniverse>(40); }, {});
  std::printf("plan of 40 stages: %s\n", report.summary().c_str());
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
  EXPECT_EQ(report.converged, report.points);
  EXPECT_GE(report.points, 400u);
}

/// A sweep that sees nothing would be worthless: an outside that forgets a crash's half must show.
class ForgetfulUniverse final : public Universe {
 public:
  ForgetfulUniverse() { write_plan(world_, "    - {name: a, uses: thing, with: {name: a}}\n"); }
  SimWorld& world() override { return world_; }
  Outcome run() override {
    Outcome outcome = machine_.apply();
    if (outcome.end == End::kCrashed) outside_.things["debris"] = {"left by a crash", {}};
    return outcome;
  }
  std::string end_state() override { return outside_.end_state(); }
  int writes() override { return outside_.writes(); }
  std::vector<std::string> broken_promises() override { return {}; }

 private:
  SimWorld world_{1};
  Things outside_{world_};
  Machine machine_{world_, things_catalog()};
};

TEST(SimulatedSweep, Debris_OfACrashIsNoticed) {
  SweepReport report = sweep([] { return std::make_unique<ForgetfulUniverse>(); }, {});
  EXPECT_EQ(report.converged, 0u);
  ASSERT_FALSE(report.failures.empty());
  EXPECT_NE(report.failures[0].find("+ debris=left by a crash"), std::string::npos);
}

}  // namespace
}  // namespace blackstart::sim

#endif
