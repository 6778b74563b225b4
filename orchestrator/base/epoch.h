// Seconds since 1970 as a time of this program.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>

namespace blackstart {

/// Certificates and tokens name years (0001, 9999) that a clock of nanoseconds cannot hold: those
/// become 1970 and 2262, between which differences can be held as well.
inline std::chrono::system_clock::time_point time_of_epoch(std::time_t seconds) {
  using SystemClock = std::chrono::system_clock;
  const auto last = std::chrono::floor<std::chrono::seconds>(SystemClock::time_point::max());
  const auto count = std::clamp<int64_t>(seconds, 0, last.time_since_epoch().count());
  return SystemClock::time_point(std::chrono::seconds(count));
}

}  // namespace blackstart
