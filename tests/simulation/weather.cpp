#include "tests/simulation/weather.h"

namespace blackstart::sim {
namespace {

Error reset() { return Error(ErrorClass::kTransient, "connection reset by peer"); }

Error refused() {
  return Error(ErrorClass::kUnreachable, "no connection").because("Connection refused");
}

}  // namespace

HttpResponse Fault::answer() const {
  if (error) throw *error;
  HttpResponse response{status, {}, "the server is in trouble"};
  if (retry_after > 0) response.headers["retry-after"] = std::to_string(retry_after);
  return response;
}

Weather::Weather(SimClock& clock, uint64_t seed, Duration bad_for, double share)
    : clock_(clock), random_(seed), until_(clock.now() + bad_for), share_(share) {}

std::optional<Fault> Weather::next() {
  if (!is_bad() || uniform() >= share_) return std::nullopt;
  ++faults_;
  switch (random_() % 6) {
    case 0: return Fault{.status = 500};
    case 1: return Fault{.status = 503, .retry_after = 1};
    case 2: return Fault{.status = 429, .retry_after = static_cast<int>(1 + random_() % 3)};
    case 3: return Fault{.error = reset()};
    case 4: return Fault{.error = reset(), .after_effect = true};
    default: return Fault{.error = refused()};
  }
}

Duration Weather::slowness() {
  bool slow = is_bad() && uniform() < share_;
  return slow ? std::chrono::milliseconds(random_() % 8000) : Duration(0);
}

}  // namespace blackstart::sim
