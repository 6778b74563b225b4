// Places where a test build can die, for the kill sweep. Nothing of it is in a shipped binary.
#pragma once

#include <functional>
#include <string_view>

#include "orchestrator/world/task.h"

namespace blackstart::failpoints {

#ifdef BLACKSTART_FAILPOINTS

/// Counts this place and lets the handler decide what happens. Without a handler the environment
/// decides: BLACKSTART_FAILPOINT_COUNT=FILE appends one line "NUMBER NAME" for every place passed;
/// BLACKSTART_FAILPOINT_KILL=N kills the process (SIGKILL) at the N-th, BLACKSTART_FAILPOINT_KILL=
/// NAME#N when it passes NAME for the N-th time.
Task<void> hit(std::string_view name);
/// A simulated world installs its own: it may never return (a crash) or count. Empty = the default.
void set_handler(std::function<Task<void>(std::string_view)> handler);

#define BLACKSTART_FAILPOINT(name) co_await ::blackstart::failpoints::hit(name)

#else

#define BLACKSTART_FAILPOINT(name) ((void)0)

#endif

}  // namespace blackstart::failpoints
