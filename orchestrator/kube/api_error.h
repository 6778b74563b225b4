// What the API server said no with.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/world/http.h"

namespace blackstart::kube {

/// A field that a write may not touch because another manager owns it.
struct FieldConflict {
  std::string field;    // ".spec.replicas"
  std::string manager;  // who owns it
};

/// What the server's validation says of one field.
struct FieldRefusal {
  std::string field;  // "spec.template"
  std::string message;
};

/// Reasons of our own, beside the server's. The server does not serve the kind; the answer is
/// longer than what we take; a webhook that the server must ask cannot be called; the namespace is
/// being deleted.
inline constexpr const char* kNoMatch = "NoMatch";
inline constexpr const char* kTooLarge = "TooLarge";
inline constexpr const char* kUncallable = "Uncallable";
inline constexpr const char* kTerminating = "Terminating";

/// A request that failed: refused by the server (`status` and its Status.reason), or unanswered
/// (`status` 0).
/// A webhook that the API server could not ask.
struct UncallableWebhook {
  std::string name;  // of a conversion webhook "GROUP/VERSION, Kind=KIND"
  std::string url;   // that was asked; empty when it is not said
  auto operator<=>(const UncallableWebhook&) const = default;
};

class ApiError : public Error {
 public:
  ApiError(ErrorClass error_class, std::string summary, int status, std::string reason);

  int status() const { return status_; }
  const std::string& reason() const { return reason_; }  // "NotFound", kNoMatch, …; may be empty
  const UncallableWebhook& webhook() const { return webhook_; }  // of kUncallable
  void set_webhook(UncallableWebhook webhook) { webhook_ = std::move(webhook); }
  const std::vector<FieldConflict>& conflicts() const { return conflicts_; }
  void add_conflict(FieldConflict conflict);
  const std::vector<FieldRefusal>& refusals() const { return refusals_; }
  void add_refusal(FieldRefusal refusal) { refusals_.push_back(std::move(refusal)); }
  ApiError& because(std::string why);  // keeps the type, so that the result can be thrown

 private:
  int status_;
  std::string reason_;
  UncallableWebhook webhook_;
  std::vector<FieldConflict> conflicts_;
  std::vector<FieldRefusal> refusals_;
};

/// The failure that a response with any but a 2xx status stands for; `what` was asked for ("apply
/// ConfigMap default/a"), `now` tells a wrong clock from wrong credentials.
ApiError error_of(const HttpResponse& response, const std::string& what, WallTime now);

/// The failure of a request that got no answer.
ApiError error_of(const Error& cause, const std::string& what, const std::string& server);

/// Seconds that a Retry-After header asks for, as number or HTTP date; 0 when there is none, at
/// most 60.
int retry_after_seconds(const HttpResponse& response, WallTime now);

}  // namespace blackstart::kube
