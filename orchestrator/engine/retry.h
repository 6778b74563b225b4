// Which failures are worth another try, and how long to wait before it.
#pragma once

#include "orchestrator/base/error.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/world/clock.h"

namespace blackstart::engine {

enum class RetryKind {
  kNever,    // permanent, conflict, authentication, …: the same again would fail the same way
  kCounted,  // transient: up to the stage's retry.attempts
  kUntilDeadline,  // unreachable, throttled, not ready: it may pass any moment
};

RetryKind retry_kind(ErrorClass error_class);

/// Backoff before try number `attempt` + 1 (attempt counts from 1): doubles from `backoff` up to
/// `backoff_max`, with ±50 % jitter; never less than the server's Retry-After.
Duration retry_delay(const plan::Retry& retry, const Error& error, int attempt, Random& random);

}  // namespace blackstart::engine
