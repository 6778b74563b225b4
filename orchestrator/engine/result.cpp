#include "orchestrator/engine/result.h"

#include <algorithm>

namespace blackstart::engine {

const char* to_string(StageState state) {
  switch (state) {
    case StageState::kWaiting: return "waiting";
    case StageState::kObserving: return "observing";
    case StageState::kActing: return "acting";
    case StageState::kVerifying: return "verifying";
    case StageState::kSatisfied: return "satisfied";
    case StageState::kDone: return "done";
    case StageState::kPending: return "pending";
    case StageState::kDeferred: return "deferred";
    case StageState::kUnknown: return "unknown";
    case StageState::kFailed: return "failed";
    case StageState::kBlocked: return "blocked";
    case StageState::kSkipped: return "skipped";
    case StageState::kStopped: return "stopped";
  }
  return "unknown";
}

size_t RunResult::count(StageState state) const {
  return static_cast<size_t>(std::ranges::count(stages, state, &StageResult::state));
}

const StageResult* RunResult::first_failure(const Graph& graph) const {
  const StageResult* first = nullptr;
  for (size_t index : graph.order()) {
    const StageResult& result = stages[index];
    if (!result.failure || result.state == StageState::kBlocked) continue;
    if (result.failure->error_class() == ErrorClass::kBug) return &result;
    if (first == nullptr) first = &result;
  }
  return first;
}

bool RunResult::has_pending() const {
  return std::ranges::any_of(stages, [](const StageResult& result) {
    return result.role != Role::kLeftOut &&
           (result.state == StageState::kPending || result.state == StageState::kDeferred);
  });
}

}  // namespace blackstart::engine
