// The one exception type for expected failures, and the diagnostics that validation collects.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "orchestrator/base/place.h"

namespace blackstart {

/// What kind of failure it is: decides retry (engine/retry.h) and the exit code (cli/exit_code.h).
enum class ErrorClass {
  kTransient,       // may work when repeated: 5xx, a reset connection
  kNotReady,        // the cluster cannot take it yet: a webhook that cannot be called, a namespace
                    // that is being deleted; worth repeating until the deadline
  kThrottled,       // the server asked us to slow down (429)
  kUnreachable,     // nothing answers at the endpoint; worth repeating until the deadline
  kConflict,        // another owner holds the field or the version moved
  kAuthentication,  // 401, 403, TLS verification, wrong cluster identity
  kPermanent,       // will fail again the same way
  kVerification,    // the action went through, the world does not show it
  kDeadline,        // out of time; resumable
  kCancelled,       // the user or a failing sibling asked to stop
  kLocked,          // another run holds the lock
  kUsage,           // bad arguments or a bad plan
  kBug,             // our own fault
};

/// Stable lower-case name, as used in events and the journal ("transient", "usage", …).
const char* to_string(ErrorClass error_class);

/// An expected failure: what happened, where it was asked for, why (outermost cause first), what to
/// do. Never holds a secret. `what()` is the summary alone.
class Error : public std::exception {
 public:
  Error(ErrorClass error_class, std::string summary);

  Error& at(Place place);           // keeps an earlier, more exact place
  Error& because(std::string why);  // appends to the cause chain
  Error& hint(std::string what_to_do);
  Error& retry_after(int seconds);

  const char* what() const noexcept override { return summary_.c_str(); }
  ErrorClass error_class() const { return class_; }
  const std::string& summary() const { return summary_; }
  const Place& place() const { return place_; }
  const std::vector<std::string>& causes() const { return causes_; }
  const std::string& hint() const { return hint_; }
  int retry_after_seconds() const { return retry_after_seconds_; }  // 0 = the server named none

  /// The summary and all causes in one line, "summary: cause: cause".
  std::string full_text() const;

 private:
  ErrorClass class_;
  std::string summary_;
  Place place_;
  std::vector<std::string> causes_;
  std::string hint_;
  int retry_after_seconds_ = 0;
};

enum class Severity { kError, kWarning };

/// One finding about user input.
struct Diagnostic {
  Severity severity = Severity::kError;
  Place place;
  std::string message;
  std::string hint;  // what to do; may be empty
  Place other = {};  // a second place, named in the message or the hint as Place::to_string()
};

/// Collects findings so that validation reports all of them in one go.
class Diagnostics {
 public:
  void error(Place place, std::string message, std::string hint = {}, Place other = {});
  void warning(Place place, std::string message, std::string hint = {});

  bool has_errors() const;
  size_t error_count() const;
  bool empty() const { return items_.empty(); }
  /// Sorted by place, duplicates removed.
  std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> items_;
};

}  // namespace blackstart
