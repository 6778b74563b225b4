// Time and chance, behind interfaces so that a simulated world can own both.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "orchestrator/base/text.h"
#include "orchestrator/world/task.h"

namespace blackstart {

using Instant = std::chrono::steady_clock::time_point;   // for deadlines and durations
using WallTime = std::chrono::system_clock::time_point;  // for people and records

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall_time() const = 0;
  /// Completes at `instant`. Only for deadlines, heartbeats and backoff: what can be watched is
  /// watched.
  virtual Task<void> sleep_until(Instant instant) = 0;
};

/// RFC 3339 in UTC with milliseconds, "2026-01-02T03:04:05.006Z".
std::string format_utc(WallTime time);

class Random {
 public:
  virtual ~Random() = default;
  /// Uniform in [0, 1): jitter and sampling.
  virtual double uniform() = 0;
  /// Cryptographically strong in the real world; seeded in the simulated one.
  virtual std::string bytes(size_t count) = 0;
};

}  // namespace blackstart
