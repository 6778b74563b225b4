// Scripted HTTP: a test plays all servers.
#pragma once

#include <set>

#include "orchestrator/world/async.h"
#include "orchestrator/world/http.h"

namespace blackstart::sim {

class SimHttp final : public Http {
 public:
  explicit SimHttp(Clock& clock) : clock_(clock) {}

  /// Answers a request; unset = nothing answers anywhere. It may wait, stream through
  /// `request.on_body` (what it returns as body of a 2xx is streamed too) and throw what send()
  /// throws.
  std::function<Task<HttpResponse>(HttpRequest)> on_send;

  /// Keeps to the request's total and idle timeout and to its body limit, as the real one does.
  Task<HttpResponse> send(HttpRequest request) override;

  int sent() const { return sent_; }
  /// Requests without an answer so far, for messages.
  std::vector<std::string> open() const { return {open_.begin(), open_.end()}; }

 private:
  Task<HttpResponse> exchange(HttpRequest request);

  Clock& clock_;
  std::multiset<std::string> open_;
  int sent_ = 0;
};

}  // namespace blackstart::sim
