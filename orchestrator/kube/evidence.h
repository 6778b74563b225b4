// What diagnosis looks at below one object: its events and the things it has made.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/kube/client.h"

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
  std::string text;           // one sentence
  boost::json::value object;  // to go on from; null when there is nothing further down
};

/// The things that `object` made or manages and that are not ready, the likeliest cause first; at
/// most a handful.
Task<std::vector<Suspect>> suspects_below(Client& client, boost::json::value object);

/// Its warning events, oldest first, "FailedScheduling: 0/2 nodes …"; at most a handful.
Task<std::vector<std::string>> warning_events(Client& client, boost::json::value object);

}  // namespace blackstart::kube
