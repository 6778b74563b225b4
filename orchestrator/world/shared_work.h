// Work that several tasks want done and one of them does.
#pragma once

#include <functional>
#include <memory>

#include "orchestrator/world/async.h"

namespace blackstart {

/// Must outlive its runs. Loop-confined.
class SharedWork {
 public:
  explicit SharedWork(Executor executor) : executor_(std::move(executor)) {}

  /// Runs `work`, or waits for the one who is at it. What fails for one fails for all who waited;
  /// work that was called off is taken up by the next of them.
  Task<void> run(std::function<Task<void>()> work);

 private:
  struct Turn;
  class TurnEnd;

  Executor executor_;
  std::shared_ptr<Turn> running_;  // null when nobody is at it
};

}  // namespace blackstart
