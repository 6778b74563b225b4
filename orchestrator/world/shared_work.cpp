#include "orchestrator/world/shared_work.h"

#include <exception>

namespace blackstart {

struct SharedWork::Turn {
  explicit Turn(Executor executor) : over(std::move(executor)) {}
  Event over;
  std::exception_ptr failure;
};

/// Ends the turn on every way out, so that no one waits for work whose task was cancelled.
class SharedWork::TurnEnd {
 public:
  explicit TurnEnd(SharedWork& work) : work_(work) {}
  ~TurnEnd() {
    auto turn = std::move(work_.running_);
    work_.running_ = nullptr;
    turn->over.set();
  }
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

 private:
  SharedWork& work_;
};

Task<void> SharedWork::run(std::function<Task<void>()> work) {
  while (auto running = running_) {
    co_await running->over.wait();
    if (!running->failure) co_return;
    if (!is_cancellation(running->failure)) std::rethrow_exception(running->failure);
  }
  auto own = std::make_shared<Turn>(executor_);
  running_ = own;
  TurnEnd end(*this);
  try {
    co_await work();
  } catch (...) {
    own->failure = std::current_exception();
    throw;
  }
}

}  // namespace blackstart
