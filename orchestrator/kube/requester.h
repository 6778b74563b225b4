// Sends requests to one API server, and again when that is safe and may help.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/kube/api_error.h"
#include "orchestrator/kube/credentials.h"
#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/world/world.h"

namespace blackstart::kube {

struct ApiRequest {
  std::string method = "GET";
  std::string path = {};  // absolute, with its query
  std::string what = {};  // completes "cannot …" in error texts
  std::string body = {};
  std::string content_type = {};
  std::string accept = "application/json";
  bool repeatable = true;  // sent twice it does what it does once: GET, apply, DELETE
  bool retried = true;     // false: the caller would rather hear of the first failure
};

/// Loop-confined; outlives its tasks.
class Requester {
 public:
  Requester(World& world, Endpoint endpoint);

  /// A 2xx response; anything else throws ApiError, once it cannot be helped by asking again.
  Task<HttpResponse> send(ApiRequest request);
  /// The JSON in it; what cannot be read is as good as no answer, and is asked for again as well.
  Task<boost::json::value> fetch(ApiRequest request);
  /// One try of a watch that lasts `longest`, or until nothing came for so long that even a
  /// bookmark is overdue; `on_line` gets each line of the answer, at most 64 MiB long.
  Task<void> stream(ApiRequest request, Duration longest,
                    std::function<void(std::string_view)> on_line);

  const Endpoint& endpoint() const { return endpoint_; }
  World& world() { return world_; }
  /// What the server warned of (deprecated versions, unknown fields) since the last call.
  std::vector<std::string> take_warnings();

 private:
  struct Outcome;
  using Reader = std::function<void(const HttpResponse&)>;
  HttpRequest http_request(const ApiRequest& request, const Proof& proof) const;
  Task<Outcome> try_once(ApiRequest request, Reader read);
  Task<HttpResponse> send_until_read(ApiRequest request, Reader read);
  ApiError refusal(const HttpResponse& response, const std::string& what) const;
  Duration pause_before(int attempt, const ApiError& error);
  void collect_warnings(const HttpResponse& response);
  void warn_once(std::string text);

  World& world_;
  Endpoint endpoint_;
  Credentials credentials_;
  std::set<std::string> warned_;  // each only once
  std::vector<std::string> warnings_;
};

}  // namespace blackstart::kube
