// Work that a flag can end.
#pragma once

#include "orchestrator/world/async.h"

namespace blackstart {

/// Runs `task` until `stop` is set; then the task is cancelled and, once it has cleaned up, false
/// is returned. True when it ended by itself; its exceptions pass through. Both must outlive the
/// call.
Task<bool> run_unless(Event& stop, Task<void> task);

/// The same for a task with a result; nullopt when it was cancelled.
template <class T>
Task<std::optional<T>> run_unless(Event& stop, Task<T> task) {
  std::optional<T> result;
  auto store = [](Task<T> inner, std::optional<T>& slot) -> Task<void> {
    slot = co_await std::move(inner);
  };
  bool ended = co_await run_unless(stop, store(std::move(task), result));
  if (!ended) result.reset();
  co_return result;
}

}  // namespace blackstart
