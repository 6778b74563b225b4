#include "tests/simulation/world/sim_clock.h"

#include <boost/asio/this_coro.hpp>

namespace blackstart::sim {

WallTime SimClock::wall_time() const {
  constexpr WallTime kDay{std::chrono::seconds(1767225600)};  // 2026-01-01T00:00:00Z
  return kDay + std::chrono::duration_cast<WallTime::duration>(now_ - kStart);
}

Task<void> SimClock::sleep_until(Instant instant) {
  co_await throw_if_cancelled();
  Executor executor = co_await boost::asio::this_coro::executor;
  auto woken = std::make_shared<Event>(executor);
  sleepers_.emplace(instant, woken);
  co_await woken->wait();
}

bool SimClock::advance() {
  for (;;) {
    auto next = sleepers_.begin();
    bool outside_first =
        !agenda_.empty() && (next == sleepers_.end() || agenda_.begin()->first <= next->first);
    if (outside_first) {
      auto [when, event] = std::move(*agenda_.begin());
      agenda_.erase(agenda_.begin());
      now_ = std::max(now_, when);
      event();
      return true;
    }
    if (next == sleepers_.end()) return false;
    auto woken = next->second.lock();  // null: it was cancelled
    Instant when = next->first;
    sleepers_.erase(next);
    if (!woken) continue;
    now_ = std::max(now_, when);
    woken->set();
    return true;
  }
}

Duration SimClock::elapsed() const { return std::chrono::duration_cast<Duration>(now_ - kStart); }

}  // namespace blackstart::sim
