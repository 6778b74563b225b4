// What came of a run, stage by stage.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/engine/graph.h"
#include "orchestrator/engine/stage.h"
#include "orchestrator/world/clock.h"

namespace blackstart::engine {

/// Where a stage stands. The names are part of the event schema (to_string).
enum class StageState {
  kWaiting,  // for its needs
  kObserving,
  kActing,
  kVerifying,  // acted, or nothing to do but wait: observing until it holds
  kSatisfied,  // nothing was to do
  kDone,       // acted, and observed to hold
  kPending,    // plan, status: something is to do
  kDeferred,   // plan, status: known only after another stage
  kUnknown,    // could not be observed
  kFailed,
  kBlocked,  // a need failed or does not hold
  kSkipped,  // `when` is false, or not selected
  kStopped,  // not finished because the run was asked to stop
};

const char* to_string(StageState state);

struct StageResult {
  StageState state = StageState::kWaiting;
  Role role = Role::kRun;
  Observation seen;
  Decision decision;
  std::optional<Error> failure;  // kFailed, kUnknown, kBlocked
  std::string reason;            // why it is in this state; a sentence
  bool acted = false;
  Instant started;
  Instant deadline;  // when it is given up, as far as is known now
  Duration elapsed{0};
  std::string digest;

  /// May stages that need this one go on?
  bool holds() const {
    return state == StageState::kSatisfied || state == StageState::kDone ||
           state == StageState::kSkipped;
  }
};

struct RunResult {
  std::vector<StageResult> stages;  // as Plan::stages
  Duration elapsed{0};
  int signal = 0;  // the signal that ended it, or 0

  size_t count(StageState state) const;
  /// The failure that decides the exit code: the first in the order of the graph, bugs before all.
  const StageResult* first_failure(const Graph& graph) const;
  /// Any selected stage that would change something, or waits.
  bool has_pending() const;
};

}  // namespace blackstart::engine
