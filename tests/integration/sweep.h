// The kill sweep on real parts: die at a point of a plan's apply, run the same command again,
// compare what is there with what an undisturbed run has made, destroy.
//
// A seeded sample of the points by default; BLACKSTART_SWEEP=all (scripts/test --sweep) takes every
// one.
#pragma once

#include <functional>
#include <string>

#include "tests/integration/support/program.h"

namespace blackstart::test {

/// Sweeps side by side: much of each is waiting.
inline constexpr size_t kSweepsAtOnce = 2;

struct SweptPlan {
  std::string name;
  std::string objects;   // to be compared, as `kubectl get` takes them
  size_t least_objects;  // so many of them are there at the end
  /// Puts the plan into a fresh rehearsal; those of one `worker` come one after another.
  std::function<void(Rehearsal&, size_t worker)> lay_out;
  /// Looks at what destroy has left.
  std::function<void(const Rehearsal&)> destroyed;
};

/// Fails the running test for each point after which the same command does not converge.
void sweep(const SweptPlan& plan);

}  // namespace blackstart::test
