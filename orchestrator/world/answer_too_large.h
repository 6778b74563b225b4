// The one failure of Http::send that its caller can help: by asking for less.
#pragma once

#include "orchestrator/base/error.h"

namespace blackstart {

/// An answer is longer than the `body_limit` of its request. Permanent: the same request will fail
/// again.
class AnswerTooLarge : public Error {
 public:
  /// `request` is "GET https://host/path".
  AnswerTooLarge(const std::string& request, size_t limit_bytes)
      : Error(ErrorClass::kPermanent, request + ": the answer is too large") {
    because("it is longer than the limit of " + std::to_string(limit_bytes) + " bytes");
  }
};

}  // namespace blackstart
