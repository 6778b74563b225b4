// Trouble between the program and what it talks to.
#pragma once

#include <optional>
#include <random>

#include "orchestrator/base/error.h"
#include "orchestrator/world/http.h"
#include "tests/simulation/world/sim_clock.h"

namespace blackstart::sim {

/// What goes wrong with one request; nothing when it has neither status nor error.
struct Fault {
  int status = 0;              // answered with it, or:
  std::optional<Error> error;  // thrown: the network's trouble
  int retry_after = 0;         // seconds
  bool after_effect = false;   // the request took effect, its answer is lost

  bool is_one() const { return status != 0 || error.has_value(); }
  /// The answer of a server in trouble, or throws.
  HttpResponse answer() const;
};

/// Bad for a while, then fair: seeded, so that a seed is a story.
class Weather {
 public:
  /// `share` of all requests meet a fault until `bad_for` after now.
  Weather(SimClock& clock, uint64_t seed, Duration bad_for, double share);

  bool is_bad() const { return clock_.now() < until_; }
  std::optional<Fault> next();
  size_t faults() const { return faults_; }  // that next() has given
  /// How long the answer takes; mostly not at all.
  Duration slowness();
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

 private:
  SimClock& clock_;
  std::mt19937_64 random_;
  Instant until_;
  double share_;
  size_t faults_ = 0;
};

}  // namespace blackstart::sim
