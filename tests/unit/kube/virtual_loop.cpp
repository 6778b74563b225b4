#include "tests/unit/kube/virtual_loop.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

namespace blackstart::kube {

namespace asio = boost::asio;

struct VirtualClock::Sleeper {
  explicit Sleeper(asio::io_context& loop) : timer(loop, asio::steady_timer::time_point::max()) {}
  asio::steady_timer timer;
};

VirtualClock::VirtualClock(asio::io_context& loop) : loop_(loop) {}
VirtualClock::~VirtualClock() = default;

WallTime VirtualClock::wall_time() const {
  return WallTime(std::chrono::seconds(1'767'225'600)) +  // 2026-01-01
         std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch());
}

Task<void> VirtualClock::sleep_until(Instant instant) {
  co_await throw_if_cancelled();
  if (instant <= now_) co_return;
  auto sleeper = std::make_shared<Sleeper>(loop_);
  auto place = sleepers_.emplace(instant, sleeper);
  co_await sleeper->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (now_ >= instant) co_return;
  sleepers_.erase(place);
  throw Error(ErrorClass::kCancelled, "cancelled");
}

bool VirtualClock::advance() {
  if (sleepers_.empty()) return false;
  now_ = sleepers_.begin()->first;
  while (!sleepers_.empty() && sleepers_.begin()->first <= now_) {
    sleepers_.begin()->second->timer.cancel();
    sleepers_.erase(sleepers_.begin());
  }
  return true;
}

// Runs what is ready; false when nothing is.
bool VirtualLoop::step() {
  context.restart();
  if (context.poll() > 0) return true;
  // Once more: this process may have slept longer than the quiet lasted.
  return quiet > Duration::zero() && (context.run_one_for(quiet) > 0 || context.poll() > 0);
}

void VirtualLoop::run(Task<void> task) {
  const Instant from = clock.now();
  std::exception_ptr failure;
  bool ended = false;
  start(context.get_executor(), std::move(task), [&](std::exception_ptr error) {
    failure = error;
    ended = true;
  });
  while (!ended) {
    if (step()) continue;
    const bool endless = clock.now() - from > std::chrono::hours(24);
    if (endless || !clock.advance()) throw std::logic_error("the task waits for what never comes");
  }
  step();
  if (failure) std::rethrow_exception(failure);
}

Duration VirtualLoop::elapsed() const {
  return std::chrono::duration_cast<Duration>(clock.now() - began_);
}

}  // namespace blackstart::kube
