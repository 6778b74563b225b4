// At most so many at a time.
#pragma once

#include <deque>
#include <memory>

#include "orchestrator/world/async.h"

namespace blackstart::engine {

/// A counting limit; waiters are served in order of arrival. Loop-confined.
class Limit {
 public:
  Limit(Executor executor, size_t most) : executor_(std::move(executor)), free_(most) {}

  /// Given back when destroyed.
  class Slot {
   public:
    explicit Slot(Limit* limit) : limit_(limit) {}
    Slot(Slot&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (limit_ != nullptr) limit_->give_back();
    }

   private:
    Limit* limit_;
  };

  Task<Slot> take();
  bool full() const { return free_ == 0; }

 private:
  struct Waiter {
    explicit Waiter(Executor executor) : turn(std::move(executor)) {}
    Event turn;
    bool gone = false;
  };
  void give_back();

  Executor executor_;
  size_t free_;
  std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace blackstart::engine
