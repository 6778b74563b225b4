// Virtual time: it stands still while anything can happen, then jumps to the next sleeper.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "orchestrator/world/async.h"
#include "orchestrator/world/clock.h"

namespace blackstart::sim {

class SimClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall_time() const override;
  Task<void> sleep_until(Instant instant) override;

  /// Something that happens outside at its time, whoever is alive then.
  void schedule(Duration after, std::function<void()> event) {
    agenda_.emplace(now_ + after, std::move(event));
  }
  /// Wakes the next sleeper or lets the next thing happen, moving time there; false when there is
  /// neither.
  bool advance();
  /// Time since the world was made.
  Duration elapsed() const;
  void forget_sleepers() { sleepers_.clear(); }

 private:
  static constexpr Instant kStart{std::chrono::hours(1)};
  Instant now_ = kStart;
  std::multimap<Instant, std::weak_ptr<Event>> sleepers_;  // equal times in order of arrival
  std::multimap<Instant, std::function<void()>> agenda_;
};

}  // namespace blackstart::sim
