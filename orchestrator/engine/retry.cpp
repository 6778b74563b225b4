#include "orchestrator/engine/retry.h"

#include <algorithm>

namespace blackstart::engine {

RetryKind retry_kind(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kNotReady:
    case ErrorClass::kUnreachable:
    case ErrorClass::kThrottled: return RetryKind::kUntilDeadline;
    case ErrorClass::kTransient: return RetryKind::kCounted;
    default: return RetryKind::kNever;
  }
}

Duration retry_delay(const plan::Retry& retry, const Error& error, int attempt, Random& random) {
  double delay = static_cast<double>(retry.backoff.count());
  for (int i = 1; i < attempt && delay < static_cast<double>(retry.backoff_max.count()); ++i)
    delay *= 2;
  delay = std::min(delay, static_cast<double>(retry.backoff_max.count()));
  delay *= 0.5 + random.uniform();
  Duration asked = std::chrono::seconds(error.retry_after_seconds());
  return std::max(Duration(static_cast<int64_t>(delay)), asked);
}

}  // namespace blackstart::engine
