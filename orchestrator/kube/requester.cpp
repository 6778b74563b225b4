#include "orchestrator/kube/requester.h"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <optional>

#include "orchestrator/kube/frame_splitter.h"
#include "orchestrator/kube/impersonation.h"
#include "orchestrator/kube/json.h"

namespace blackstart::kube {

namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(800);
constexpr Duration kLongestPause = std::chrono::seconds(30);
// Silence that counts as a dead connection. A peer that is gone is noticed sooner, by the kernel
// (world/http_transfer_setup.cpp); this is for one that is there and hangs, or hides behind a
// proxy.
constexpr Duration kIdle = std::chrono::seconds(15);
// Before it answers a write the API server asks its admission webhooks: those that mutate one after
// the other, each up to its timeoutSeconds (10 by default, 30 at most). The server itself gives up
// at its --request-timeout, 60 s by default, and says so: its answer is worth waiting for.
// kubernetes.io: "Dynamic Admission Control", "kube-apiserver".
constexpr Duration kWriteFirstByte = std::chrono::seconds(65);
constexpr Duration kWriteTotal = std::chrono::seconds(90);
// A watch in which nothing happens brings a bookmark about every minute, though none is promised:
// silence is peace, or a server or a proxy that has forgotten us.
constexpr Duration kWatchIdle = std::chrono::seconds(75);
constexpr size_t kFrameLimit = 64u << 20;
constexpr size_t kWarningLimit = 100;
// What is left after these tries is the engine's: it asks again until the stage's deadline, and
// shows it.
constexpr int kTries = 4;
constexpr int kUnreachableTries = 2;  // nothing listens there, and `status` wants to know
// A server that is only busy is left in peace longer before a whole stage is begun again, which
// asks it for more; but not for so long that nobody hears of it.
constexpr int kThrottledTries = 10;
constexpr Duration kThrottledFor = std::chrono::seconds(60);

// To a DELETE the same answer says that another object has the name now.
bool version_moved(const ApiError& error, const ApiRequest& request) {
  return error.status() == 409 && error.reason() == "Conflict" && error.conflicts().empty() &&
         request.method != "DELETE";
}

// A server that asks to come back later has done nothing.
bool is_throttled(const ApiError& error) {
  return error.status() == 429 || (error.status() == 503 && error.retry_after_seconds() > 0);
}

// How often a request may be sent that fails so.
int tries_for(const ApiError& error, const ApiRequest& request) {
  if (!request.retried) return 1;
  if (error.status() == 0 && error.error_class() == ErrorClass::kUnreachable)
    return kUnreachableTries;
  if (is_throttled(error)) return kThrottledTries;
  if (!request.repeatable || error.status() == 410) return 1;
  const bool may_help =
      error.error_class() == ErrorClass::kTransient || version_moved(error, request);
  return may_help ? kTries : 1;
}

// The last failure of a request, with what is to be known of those before.
ApiError last_failure(ApiError error, const ApiRequest& request, int attempts) {
  const std::string tried = "tried " + count_of(static_cast<size_t>(attempts), "time");
  if (is_throttled(error)) {
    error.because("throttled by the API server, " + tried);
  } else if (attempts > 1) {
    error.because(tried);
  }
  if (!request.repeatable && !is_throttled(error) && error.error_class() == ErrorClass::kTransient)
    error.because("whether it was done is not known");
  return error;
}

bool success(int status) { return status >= 200 && status < 300; }

}  // namespace

struct Requester::Outcome {
  Proof proof;
  HttpResponse response;
  std::optional<ApiError> error;
};

Requester::Requester(World& world, Endpoint endpoint)
    : world_(world), endpoint_(std::move(endpoint)), credentials_(world_, endpoint_) {}

HttpRequest Requester::http_request(const ApiRequest& request, const Proof& proof) const {
  HttpRequest http;
  http.method = request.method;
  http.url = endpoint_.server + request.path;
  http.headers["Accept"] = request.accept;
  http.headers["User-Agent"] = "blackstart/" BLACKSTART_VERSION;
  if (!request.content_type.empty()) http.headers["Content-Type"] = request.content_type;
  if (endpoint_.disable_compression) http.headers["Accept-Encoding"] = "identity";
  if (!proof.token.empty()) http.headers["Authorization"] = "Bearer " + proof.token;
  http.repeated_headers = headers_of(endpoint_.as);
  http.body = request.body;
  http.tls = proof.tls;
  http.once = !request.repeatable;
  http.idle_timeout = kIdle;
  if (request.method != "GET") {
    http.first_byte_timeout = kWriteFirstByte;
    http.total_timeout = kWriteTotal;
  }
  return http;
}

ApiError Requester::refusal(const HttpResponse& response, const std::string& what) const {
  ApiError error = error_of(response, what, world_.clock.wall_time());
  if (response.status == 401) error.because(credentials_.origin());
  return error;
}

Task<Requester::Outcome> Requester::try_once(ApiRequest request, Reader read) {
  Outcome outcome;
  outcome.proof = co_await credentials_.now();
  try {
    outcome.response = co_await world_.http.send(http_request(request, outcome.proof));
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    outcome.error = error_of(error, request.what, endpoint_.server);
  }
  collect_warnings(outcome.response);
  if (outcome.error) co_return outcome;
  if (!success(outcome.response.status)) {
    outcome.error = refusal(outcome.response, request.what);
    co_return outcome;
  }
  try {
    if (read) read(outcome.response);
  } catch (const boost::system::system_error& error) {
    outcome.error =
        ApiError(ErrorClass::kTransient, "cannot " + request.what, outcome.response.status, {})
            .because("the answer is no JSON: " + error.code().message());
  }
  co_return outcome;
}

Duration Requester::pause_before(int attempt, const ApiError& error) {
  const Duration doubled = kFirstPause * (1 << std::min(attempt - 1, 10));
  const double jitter = 1.0 + world_.random.uniform();
  const Duration backoff(static_cast<int64_t>(static_cast<double>(doubled.count()) * jitter));
  return std::max(std::min(backoff, kLongestPause),
                  Duration(std::chrono::seconds(error.retry_after_seconds())));
}

Task<HttpResponse> Requester::send_until_read(ApiRequest request, Reader read) {
  Duration throttled{};
  bool renewed = false;
  for (int attempt = 1;; ++attempt) {
    Outcome outcome = co_await try_once(request, read);
    if (!outcome.error) co_return std::move(outcome.response);
    // Nothing was done: asked again at once, with credentials that may be newer.
    if (outcome.error->status() == 401 && !renewed && credentials_.renew(outcome.proof)) {
      renewed = true;
      continue;
    }
    const ApiError& error = *outcome.error;
    const Duration pause = pause_before(attempt, error);
    if (is_throttled(error)) {
      warn_once("the API server throttles us: requests wait and are sent again");
      throttled += pause;
    }
    const bool enough = attempt > 1 && throttled > kThrottledFor;
    if (attempt >= tries_for(error, request) || enough) throw last_failure(error, request, attempt);
    co_await world_.clock.sleep_until(world_.clock.now() + pause);
  }
}

Task<HttpResponse> Requester::send(ApiRequest request) {
  return send_until_read(std::move(request), nullptr);
}

Task<boost::json::value> Requester::fetch(ApiRequest request) {
  boost::json::value value;
  Reader read = [&value](const HttpResponse& response) { value = parse_json(response.body); };
  co_await send_until_read(std::move(request), std::move(read));
  co_return value;
}

Task<void> Requester::stream(ApiRequest request, Duration longest,
                             std::function<void(std::string_view)> on_line) {
  auto lines = std::make_shared<FrameSplitter>(std::move(on_line), kFrameLimit);
  for (bool renewed = false;; renewed = true) {
    const Proof proof = co_await credentials_.now();
    HttpRequest http = http_request(request, proof);
    http.total_timeout = longest;
    http.first_byte_timeout = kIdle;  // the server begins to answer at once
    http.idle_timeout = kWatchIdle;
    // What the reader of the lines throws ends the request and comes out of send().
    http.on_body = [lines](std::string_view chunk) { lines->feed(chunk); };
    HttpResponse response;
    try {
      response = co_await world_.http.send(std::move(http));
    } catch (const ApiError&) {
      throw;
    } catch (const Error& error) {
      if (error.error_class() == ErrorClass::kCancelled) throw;
      throw error_of(error, request.what, endpoint_.server);
    }
    if (response.status == 401 && !renewed && credentials_.renew(proof)) continue;
    collect_warnings(response);
    if (!success(response.status)) throw refusal(response, request.what);
    lines->finish();
    co_return;
  }
}

void Requester::collect_warnings(const HttpResponse& response) {
  const auto found = response.headers.find("warning");
  if (found == response.headers.end()) return;
  // RFC 7234: 299 - "text", several of them behind one another; quotes in the text are escaped.
  const std::string& header = found->second;
  for (size_t begin = header.find("299 "); begin != std::string::npos;) {
    size_t position = header.find('"', begin);
    if (position == std::string::npos) return;
    std::string text;
    for (++position; position < header.size() && header[position] != '"'; ++position) {
      if (header[position] == '\\' && position + 1 < header.size()) ++position;
      text += header[position];
    }
    warn_once(std::move(text));
    begin = header.find("299 ", position);
  }
}

void Requester::warn_once(std::string text) {
  if (warned_.size() < kWarningLimit && warned_.insert(text).second)
    warnings_.push_back(std::move(text));
}

std::vector<std::string> Requester::take_warnings() { return std::exchange(warnings_, {}); }

}  // namespace blackstart::kube
