// What diagnosis looks at below one object: its events and the things it has made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::kube {

/// What a read says, or nothing when it fails: a diagnosis tells as much as can be read.
/// Cancellation goes through.
template <class T>
Task<T> if_readable(Task<T> read) {
  try {
    co_return co_await std::move(read);
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
  }
  co_return T();
}

/// Something below an object that may be the reason why it is not ready.
struct Suspect {
  ObjectRef ref;
  std::string state;          // "0 of 1 replica is available", "it does not exist"
  boost::json::value object;  // to go on from; null when there is nothing further down
  std::string sentence() const { return ref.to_string() + (state.empty() ? "" : ": " + state); }
};

/// The object as a suspect, judged by itself.
Suspect suspect_of(boost::json::value object, const Surroundings& around);

/// The things that `object` made, manages or refers to and that are not ready, the likeliest cause
/// first; at most a handful.
Task<std::vector<Suspect>> suspects_below(Client& client, boost::json::value object);

/// A Service that nobody answers for, or nullopt when an endpoint of it is ready.
Task<std::optional<Suspect>> silent_service(Client& client, ObjectRef ref);

/// Its warning events, oldest first, "FailedScheduling: 0/2 nodes …"; at most a handful.
Task<std::vector<std::string>> warning_events(Client& client, boost::json::value object);

}  // namespace blackstart::kube
