// The user's machine: runs of the program, one after the other, over one state folder.
//
// The journal is real SQLite in a folder of the real disk; everything else is the simulated
// world's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/run.h"
#include "orchestrator/engine/saved_plan.h"
#include "orchestrator/events/event.h"
#include "tests/simulation/world/sim_world.h"

namespace blackstart::sim {

enum class Verb { kApply, kPreview, kDestroy };

/// What the user types.
struct Request {
  Verb verb = Verb::kApply;
  std::string plan = "/plan/plan.yaml";
  std::string environment;
  engine::Selection selection;
  size_t parallelism = 10;
  const engine::SavedPlan* saved = nullptr;
  /// Runs beside the command and is cancelled at its end: the user's hands, or the world's weather.
  std::function<Task<void>(engine::Session&)> beside;
};

/// What came of one run.
struct Outcome {
  End end = End::kDone;
  int exit_code = -1;            // -1: it crashed
  engine::RunResult result;      // empty when it was refused or crashed
  std::optional<Error> refused;  // before anything was done
  Duration elapsed{0};
  std::vector<events::Event> events;

  /// The stage's result by its name; throws std::out_of_range.
  const engine::StageResult& stage(const std::string& name) const;
  /// The events of one type, in order.
  template <class Payload>
  std::vector<Payload> all() const {
    std::vector<Payload> found;
    for (const events::Event& event : events) {
      if (const auto* payload = std::get_if<Payload>(&event.payload)) found.push_back(*payload);
    }
    return found;
  }
  /// What the stages were doing, one line an event: for messages of failed tests and for hashes.
  std::string transcript() const;

  std::vector<std::string> stage_names;  // as Plan::stages
  engine::SavedPlan shown;               // of a preview: as `plan --out` saves it
};

class Machine {
 public:
  Machine(SimWorld& world, const engine::Catalog& catalog);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Runs the program once, to its end or to the crash that was set up in the world.
  Outcome run(const Request& request);
  Outcome apply() { return run({}); }

  const std::string& state_folder() const { return state_folder_; }

 private:
  SimWorld& world_;
  const engine::Catalog& catalog_;
  std::string state_folder_;
};

}  // namespace blackstart::sim
