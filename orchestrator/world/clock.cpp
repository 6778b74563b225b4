#include "orchestrator/world/clock.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <ctime>

#include "orchestrator/world/async.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart {

namespace asio = boost::asio;

std::string format_utc(WallTime time) {
  auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch();
  auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  std::time_t whole = seconds.count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char date[32];
  char text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%03dZ", date,
                static_cast<int>((since_epoch - seconds).count()));
  return text;
}

namespace {

class RealClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_time() const override { return std::chrono::system_clock::now(); }

  Task<void> sleep_until(Instant instant) override {
    co_await throw_if_cancelled();
    Executor executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, instant);
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) throw Error(ErrorClass::kCancelled, "cancelled");
  }
};

}  // namespace

std::unique_ptr<Clock> real::make_clock() { return std::make_unique<RealClock>(); }

}  // namespace blackstart
