// A small outside for tests of the engine: named things behind HTTP, and stage types that make
// them.
//
// The outside counts every effect, so that a test can say what happened to the world and not only
// what the program believes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "tests/simulation/weather.h"
#include "tests/simulation/world/sim_world.h"

namespace blackstart::sim {

struct Thing {
  std::string value;
  Instant ready_at;
};

/// How the outside treats one thing.
struct Treatment {
  Duration looks{0};          // a read, from request to answer
  Duration takes{0};          // a write, from request to effect
  bool answers_late = false;  // the effect is there at once, the answer after `takes`
  Duration settles{0};        // from effect to ready
  bool forgets = false;       // a write changes nothing, though it says so
  std::deque<Fault> reads;    // consumed one a request
  std::deque<Fault> writes;
};

/// The servers behind http://things/. Survives crashes of the program.
class Things {
 public:
  /// Plays all servers of `world` and must outlive its runs.
  explicit Things(SimWorld& world);

  std::map<std::string, Thing> things;
  std::map<std::string, Treatment> treatments;
  std::map<std::string, int> effects;  // "make a", "set a", "remove a" -> how often
  std::map<std::string, int> reads;    // by thing
  /// Decides about faults before the treatments do; empty = none. Called for each request.
  std::function<std::optional<Fault>(const HttpRequest&)> weather;

  /// Writes to things whose newest look had failed: acting on what is not known.
  std::vector<std::string> blind_writes;

  int count(const std::string& effect) const;
  int writes() const;
  /// All things with their values: equal for equal worlds.
  std::string end_state() const;

 private:
  Task<HttpResponse> send(HttpRequest request);
  Task<HttpResponse> wait_for_change(std::string name);
  HttpResponse read(const std::string& name) const;
  HttpResponse write(const HttpRequest& request, const std::string& name);
  std::optional<Fault> next_fault(const HttpRequest& request, const std::string& name);

  Clock& clock_;
  std::set<std::string> unknown_;  // things whose newest look failed
};

/// `thing` is made and changed in any number of steps, `thing.once` by one action that must not be
/// repeated, `tool.thing` counts as work of a process and is no part of the target, `inside.thing`
/// goes with the plan's cluster. Outputs: value.
const engine::Catalog& things_catalog();

/// A plan of these stages at /plan/plan.yaml; `stages` is the YAML below `stages:`.
void write_plan(SimWorld& world, const std::string& stages);

}  // namespace blackstart::sim
