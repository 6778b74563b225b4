#include "orchestrator/base/error.h"

#include <algorithm>
#include <tuple>

namespace blackstart {

const char* to_string(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kTransient: return "transient";
    case ErrorClass::kNotReady: return "not ready";
    case ErrorClass::kThrottled: return "throttled";
    case ErrorClass::kUnreachable: return "unreachable";
    case ErrorClass::kConflict: return "conflict";
    case ErrorClass::kAuthentication: return "authentication";
    case ErrorClass::kPermanent: return "permanent";
    case ErrorClass::kVerification: return "verification";
    case ErrorClass::kDeadline: return "deadline";
    case ErrorClass::kCancelled: return "cancelled";
    case ErrorClass::kLocked: return "locked";
    case ErrorClass::kUsage: return "usage";
    case ErrorClass::kBug: return "bug";
  }
  return "bug";
}

Error::Error(ErrorClass error_class, std::string summary)
    : class_(error_class), summary_(std::move(summary)) {}

Error& Error::at(Place place) {
  if (!place_.known()) place_ = place;
  return *this;
}

Error& Error::because(std::string why) {
  if (!why.empty()) causes_.push_back(std::move(why));
  return *this;
}

Error& Error::hint(std::string what_to_do) {
  if (hint_.empty()) hint_ = std::move(what_to_do);
  return *this;
}

Error& Error::retry_after(int seconds) {
  retry_after_seconds_ = seconds;
  return *this;
}

std::string Error::full_text() const {
  std::string text = summary_;
  for (const std::string& cause : causes_) text += ": " + cause;
  return text;
}

void Diagnostics::error(Place place, std::string message, std::string hint, Place other) {
  items_.push_back({Severity::kError, place, std::move(message), std::move(hint), other});
}

void Diagnostics::warning(Place place, std::string message, std::string hint) {
  items_.push_back({Severity::kWarning, place, std::move(message), std::move(hint)});
}

size_t Diagnostics::error_count() const {
  return static_cast<size_t>(std::ranges::count(items_, Severity::kError, &Diagnostic::severity));
}

bool Diagnostics::has_errors() const { return error_count() > 0; }

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> result = items_;
  auto before = [](const Diagnostic& a, const Diagnostic& b) {
    if (!(a.place == b.place)) return a.place < b.place;
    return std::tie(a.severity, a.message) < std::tie(b.severity, b.message);
  };
  auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return a.place == b.place && a.severity == b.severity && a.message == b.message;
  };
  std::ranges::stable_sort(result, before);
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  return result;
}

}  // namespace blackstart
