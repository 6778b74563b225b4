#include "orchestrator/world/interrupt.h"

namespace blackstart {

Task<bool> run_unless(Event& stop, Task<void> task) {
  Race ended = co_await race(std::move(task), stop.wait());
  if (ended.rival_won && is_cancellation(ended.task_error)) co_return false;
  if (ended.task_error) std::rethrow_exception(ended.task_error);
  co_return true;
}

}  // namespace blackstart
