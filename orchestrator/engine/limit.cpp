#include "orchestrator/engine/limit.h"

namespace blackstart::engine {

Task<Limit::Slot> Limit::take() {
  if (free_ > 0) {
    --free_;
    co_return Slot(this);
  }
  auto waiter = std::make_shared<Waiter>(executor_);
  waiting_.push_back(waiter);
  // Cancelled while waiting: leave the queue, or pass on a turn that came at the same moment.
  struct Leave {
    Limit* limit;
    std::shared_ptr<Waiter> waiter;
    bool served = false;
    ~Leave() {
      if (served) return;
      if (waiter->turn.is_set()) {
        limit->give_back();
      } else {
        waiter->gone = true;
      }
    }
  } leave{this, waiter};
  co_await waiter->turn.wait();
  leave.served = true;
  co_return Slot(this);
}

void Limit::give_back() {
  while (!waiting_.empty()) {
    auto next = waiting_.front();
    waiting_.pop_front();
    if (next->gone) continue;
    next->turn.set();  // the slot passes on without becoming free
    return;
  }
  ++free_;
}

}  // namespace blackstart::engine
