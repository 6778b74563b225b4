// The kill sweep: dies at every failpoint of a run, runs again, and compares what came of it with a
// run that nobody disturbed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/machine.h"

namespace blackstart::sim {

/// A world outside with a machine in it, both as good as new.
class Universe {
 public:
  virtual ~Universe() = default;
  virtual SimWorld& world() = 0;
  /// Types the same command again.
  virtual Outcome run() = 0;
  /// What must be equal however often the program died.
  virtual std::string end_state() = 0;
  /// A sentence for every promise that was broken: an action done twice that must not be.
  virtual std::vector<std::string> broken_promises() = 0;
  /// How often the outside was changed so far.
  virtual int writes() = 0;
};

using MakeUniverse = std::function<std::unique_ptr<Universe>()>;

struct SweepOptions {
  uint64_t seed = 1;
  size_t second_crash_each = 4;  // of so many points one crashes the second run too, at random
  size_t third_run_each = 10;    // of so many points one runs once more: must act nowhere
  size_t failures_most = 5;      // then the sweep ends early
};

struct SweepReport {
  size_t points = 0;
  size_t converged = 0;
  size_t second_crashes = 0;
  size_t third_runs = 0;
  std::vector<std::string> failures;

  /// "143 points, 143 converge (35 of them crashed twice)".
  std::string summary() const;
};

/// Throws std::runtime_error when even the undisturbed run does not end well.
SweepReport sweep(const MakeUniverse& make, const SweepOptions& options);

}  // namespace blackstart::sim
