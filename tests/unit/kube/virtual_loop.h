// An event loop on virtual time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>

#include "orchestrator/world/async.h"
#include "orchestrator/world/clock.h"

namespace blackstart::kube {

/// Time that jumps to the next sleeper whenever nothing else can run.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(boost::asio::io_context& loop);
  ~VirtualClock() override;
  Instant now() const override { return now_; }
  WallTime wall_time() const override;
  Task<void> sleep_until(Instant instant) override;
  bool advance();  // to the next sleeper; false when nobody sleeps

 private:
  struct Sleeper;
  boost::asio::io_context& loop_;
  Instant now_{std::chrono::hours(1)};
  std::multimap<Instant, std::shared_ptr<Sleeper>> sleepers_;
};

class VirtualLoop {
 public:
  /// Drives `task` to its end. Time jumps when the loop has had nothing to do for `quiet` of real
  /// time: zero where all is in memory, more where the kernel or a thread has a part in it.
  void run(Task<void> task);
  Duration elapsed() const;  // virtual time since the beginning

  boost::asio::io_context context;
  VirtualClock clock{context};
  Duration quiet{};

 private:
  bool step();
  Instant began_ = clock.now();
};

}  // namespace blackstart::kube
