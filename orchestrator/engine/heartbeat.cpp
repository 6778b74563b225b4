#include "orchestrator/engine/heartbeat.h"

namespace blackstart::engine {
namespace {

constexpr Duration kEvery = std::chrono::seconds(10);

bool is_running(StageState state) {
  return state == StageState::kObserving || state == StageState::kActing ||
         state == StageState::kVerifying;
}

}  // namespace

Task<void> heartbeats(Session& session) {
  Clock& clock = session.world.clock;
  for (;;) {
    co_await clock.sleep_until(clock.now() + kEvery);
    for (size_t i = 0; i < session.results.size(); ++i) {
      const StageResult& result = session.results[i];
      if (!is_running(result.state)) continue;
      auto elapsed = std::chrono::duration_cast<Duration>(clock.now() - result.started);
      auto left = std::chrono::duration_cast<Duration>(result.deadline - clock.now());
      session.bus.publish(events::Heartbeat{session.plan.stages[i].name, to_string(result.state),
                                            result.reason, elapsed.count(), left.count()});
      if (session.options.on_activity)
        session.options.on_activity("stage " + session.plan.stages[i].name + ": " + result.reason);
    }
  }
}

}  // namespace blackstart::engine
