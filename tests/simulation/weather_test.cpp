// Two hundred seeded worlds in which anything may fail for a while: they must get there once it has
// stopped, never act on what they could not see, and tell the same story for the same seed.
#include <gtest/gtest.h>

#include <cstdio>

#include "orchestrator/base/text.h"
#include "tests/simulation/outside/homelab.h"
#include "tests/simulation/things.h"

namespace blackstart::sim {
namespace {

constexpr int kSeeds = 200;
constexpr int kStarterSeeds = 40;
constexpr int kStages = 12;
constexpr int kDrops = 300;  // of watches, so many that they come from the first stage to the last
constexpr Duration kBad = std::chrono::minutes(2);
constexpr Duration kLongest = std::chrono::minutes(10);  // the default deadline of a stage

struct Story {
  int exit_code = -1;
  Duration elapsed{0};
  std::string hash;
  std::string trouble;  // what was promised and not kept
  size_t faults = 0;
  size_t dropped = 0;  // watches
  size_t expired = 0;  // versions that a watch wanted to go on from
};

std::string random_plan(std::mt19937_64& random) {
  std::string text;
  for (int i = 0; i < kStages; ++i) {
    std::string name = "s" + std::to_string(i), needs;
    for (int other = 0; other < i; ++other)
      if (random() % 4 == 0) needs += "s" + std::to_string(other) + ",";
    const char* uses = random() % 3 == 0 ? "thing.once" : "thing";
    text += "    - {name: " + name + ", uses: " + uses + ", needs: [" + needs +
            "], retry: {attempts: 12}, with: {name: " + name + "}}\n";
  }
  return text;
}

Story things_in_bad_weather(uint64_t seed) {
  SimWorld world(seed);
  Things outside(world);
  Machine machine(world, things_catalog());
  std::mt19937_64 random(seed);
  write_plan(world, random_plan(random));
  for (int i = 0; i < kStages; ++i) {
    Treatment& treatment = outside.treatments["s" + std::to_string(i)];
    treatment.takes = std::chrono::milliseconds(random() % 4000);
    treatment.settles = std::chrono::milliseconds(random() % 20000);
    treatment.answers_late = random() % 2 == 0;
  }
  Weather weather(world.clock(), seed, kBad, 0.3);
  Story story;
  outside.weather = [&weather](const HttpRequest&) { return weather.next(); };
  Outcome run = machine.apply();
  story.faults = weather.faults();
  story.exit_code = run.exit_code;
  story.elapsed = run.elapsed;
  story.hash = sha256_hex(run.transcript());
  if (run.exit_code != 0) story.trouble += run.transcript();
  for (const std::string& blind : outside.blind_writes) story.trouble += "blind " + blind + "\n";
  for (const auto& [effect, times] : outside.effects)
    if (effect.starts_with("make ") && times != 1)
      story.trouble += effect + " " + std::to_string(times) + " times\n";
  if (outside.things.size() != kStages) story.trouble += "not all is there\n";
  return story;
}

Story starter_in_bad_weather(uint64_t seed, const std::string& wanted_end) {
  Homelab homelab(seed);
  SimClock& clock = homelab.world().clock();
  homelab.weather = std::make_unique<Weather>(clock, seed, kBad, 0.15);
  Story story;
  for (int i = 1; i <= kDrops; ++i) {
    Duration when = std::chrono::milliseconds(i * (200 + seed % 400));
    clock.schedule(when, [&homelab, &story, i] {
      auto server = homelab.api();
      if (!server) return;
      if (i % 3 == 0) server->store().compact();
      story.dropped += server->watches();
      server->drop_watches();
    });
  }
  Outcome run = homelab.run();
  story.exit_code = run.exit_code;
  story.elapsed = run.elapsed;
  story.hash = sha256_hex(run.transcript());
  story.faults = homelab.weather->faults();
  if (auto server = homelab.api()) story.expired = server->expirations();
  if (run.exit_code != 0)
    story.trouble = run.transcript();
  else if (homelab.end_state() != wanted_end)
    story.trouble = "another end than in fair weather\n";
  return story;
}

TEST(Weather, TwoHundredSeeds_ConvergeOnceItIsFairAndNeverActBlindly) {
  Duration longest{0};
  size_t faults = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Story story = things_in_bad_weather(seed);
    ASSERT_EQ(story.trouble, "") << "seed " << seed;
    ASSERT_EQ(story.exit_code, 0) << "seed " << seed;
    faults += story.faults;
    longest = std::max(longest, story.elapsed);
  }
  std::printf("%d seeds, %zu faults, the longest took %s\n", kSeeds, faults,
              format_duration(longest).c_str());
  EXPECT_GT(faults, kSeeds * 10u) << "the weather was too fair to prove anything";
  EXPECT_LT(longest, kLongest);
}

TEST(Weather, TheSameSeedTellsTheSameStory) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(things_in_bad_weather(seed).hash, things_in_bad_weather(seed).hash) << seed;
  EXPECT_NE(things_in_bad_weather(1).hash, things_in_bad_weather(2).hash);
  EXPECT_EQ(starter_in_bad_weather(3, "").hash, starter_in_bad_weather(3, "").hash);
}

TEST(Weather, TheStarterPlan_GetsThereThroughFaultsDroppedWatchesAndExpiredVersions) {
  Homelab fair(1);
  ASSERT_EQ(fair.run().exit_code, 0);
  std::string wanted = fair.end_state();
  Story all;
  for (uint64_t seed = 1; seed <= kStarterSeeds; ++seed) {
    Story story = starter_in_bad_weather(seed, wanted);
    ASSERT_EQ(story.trouble, "") << "seed " << seed;
    all.elapsed = std::max(all.elapsed, story.elapsed);
    all.faults += story.faults;
    all.dropped += story.dropped;
    all.expired += story.expired;
  }
  std::printf(
      "starter plan: %d seeds, %zu faults, %zu dropped watches, %zu expired versions, the longest "
      "took %s\n",
      kStarterSeeds, all.faults, all.dropped, all.expired, format_duration(all.elapsed).c_str());
  for (size_t met : {all.faults, all.dropped, all.expired})
    EXPECT_GT(met, kStarterSeeds * 2u) << "the weather was too fair to prove anything";
}

}  // namespace
}  // namespace blackstart::sim
