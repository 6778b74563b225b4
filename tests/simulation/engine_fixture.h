// A machine, an outside full of things, and the engine between them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/journal/lock.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/things.h"

namespace blackstart::sim {

class EngineTest : public testing::Test {
 protected:
  Outcome apply() { return machine.apply(); }
  Outcome preview() { return machine.run({.verb = Verb::kPreview}); }
  void plan(const std::string& stages) { write_plan(world, stages); }
  /// As another run that is at work holds it.
  std::unique_ptr<journal::RunLock> journal_lock() {
    return journal::RunLock::acquire(world.world(), machine.state_folder(), "apply");
  }

  /// The instant of the first event that says `stage` entered `state`, since the run began.
  static std::optional<Duration> entered(const Outcome& outcome, const std::string& stage,
                                         const std::string& state) {
    for (const events::Event& event : outcome.events) {
      const auto* changed = std::get_if<events::StageChanged>(&event.payload);
      if (changed && changed->stage == stage && changed->state == state)
        return std::chrono::duration_cast<Duration>(event.time - outcome.events.front().time);
    }
    return std::nullopt;
  }

  SimWorld world{1};
  Things outside{world};
  Machine machine{world, things_catalog()};
};

using std::chrono::minutes;
using std::chrono::seconds;

}  // namespace blackstart::sim
