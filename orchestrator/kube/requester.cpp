#include "orchestrator/kube/requester.h"

#include <algorithm>
#include <optional>

#include "orchestrator/kube/frame_splitter.h"
namespace blackstart::kube {

namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(800);
constexpr Duration kLongestPause = std::chrono::seconds(30);
// Silence that counts as a dead connection. A peer that is gone is noticed sooner, by the kernel
// (world/http_transfer_setup.cpp); this is for one that is there and hangs, or hides behind a
// proxy.
constexpr Duration kReadIdle = std::chrono::seconds(15);
// A write is silent while the API server asks its admission webhooks: those that mutate one after
// the other, each up to its timeoutSeconds (10 by default, 30 at most). The server itself gives up
// at its --request-timeout, 60 s by default, and says so: its answer is worth waiting for.
// kubernetes.io: "Dynamic Admission Control", "kube-apiserver".
constexpr Duration kWriteIdle = std::chrono::seconds(65);
constexpr Duration kWriteTotal = std::chrono::seconds(90);
// A watch in which nothing happens brings a bookmark about every minute, though none is promised:
// silence is peace, or a server or a proxy that has forgotten us.
constexpr Duration kWatchIdle = std::chrono::seconds(75);
constexpr size_t kFrameLimit = 64u << 20;
constexpr size_t kWarningLimit = 100;
// Nothing listens there: the engine asks again until the stage's deadline, and `status` wants to
// know.
constexpr int kUnreachableTries = 2;

// To a DELETE the same answer says that another object has the name now.
bool version_moved(const ApiError& error, const ApiRequest& request) {
  return error.status() == 409 && error.reason() == "Conflict" && error.conflicts().empty() &&
         request.method != "DELETE";
}

// Whether another try is safe and may help; a server that asks to come back later has done nothing.
bool may_try_again(const ApiError& error, const ApiRequest& request, int attempt) {
  if (attempt >= request.tries) return false;
  if (error.status() == 0 && error.error_class() == ErrorClass::kUnreachable)
    return attempt < kUnreachableTries;
  if (error.status() == 429) return true;
  if (error.status() == 503 && error.retry_after_seconds() > 0) return true;
  if (!request.repeatable) return false;
  if (error.status() == 410) return false;
  return error.error_class() == ErrorClass::kTransient || version_moved(error, request);
}

bool success(int status) { return status >= 200 && status < 300; }

}  // namespace

struct Requester::Outcome {
  HttpResponse response;
  std::optional<ApiError> error;
};

Requester::Requester(World& world, Endpoint endpoint)
    : world_(world), endpoint_(std::move(endpoint)) {}

HttpRequest Requester::http_request(const ApiRequest& request) const {
  HttpRequest http;
  http.method = request.method;
  http.url = endpoint_.server + request.path;
  http.headers["Accept"] = request.accept;
  http.headers["User-Agent"] = "blackstart/" BLACKSTART_VERSION;
  if (!request.content_type.empty()) http.headers["Content-Type"] = request.content_type;
  const std::string token = bearer_token(world_.files, endpoint_);
  if (!token.empty()) http.headers["Authorization"] = "Bearer " + token;
  http.body = request.body;
  http.tls = endpoint_.tls;
  const bool reads = request.method == "GET";
  http.idle_timeout = reads ? kReadIdle : kWriteIdle;
  if (!reads) http.total_timeout = kWriteTotal;
  return http;
}

Task<Requester::Outcome> Requester::try_once(ApiRequest request) {
  Outcome outcome;
  try {
    outcome.response = co_await world_.http.send(http_request(request));
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    outcome.error = error_of(error, request.what, endpoint_.server);
  }
  collect_warnings(outcome.response);
  if (!outcome.error && !success(outcome.response.status))
    outcome.error = error_of(outcome.response, request.what, world_.clock.wall_time());
  co_return outcome;
}

Duration Requester::pause_before(int attempt, const ApiError& error) {
  const Duration doubled = kFirstPause * (1 << std::min(attempt - 1, 10));
  const double jitter = 1.0 + world_.random.uniform();
  const Duration backoff(static_cast<int64_t>(static_cast<double>(doubled.count()) * jitter));
  return std::max(std::min(backoff, kLongestPause),
                  Duration(std::chrono::seconds(error.retry_after_seconds())));
}

Task<HttpResponse> Requester::send(ApiRequest request) {
  for (int attempt = 1;; ++attempt) {
    Outcome outcome = co_await try_once(request);
    if (!outcome.error) co_return std::move(outcome.response);
    if (!may_try_again(*outcome.error, request, attempt)) {
      if (attempt > 1)
        outcome.error->because("tried " + count_of(static_cast<size_t>(attempt), "time"));
      throw *outcome.error;
    }
    co_await world_.clock.sleep_until(world_.clock.now() + pause_before(attempt, *outcome.error));
  }
}

Task<void> Requester::stream(ApiRequest request, Duration longest,
                             std::function<void(std::string_view)> on_line) {
  auto lines = std::make_shared<FrameSplitter>(std::move(on_line), kFrameLimit);
  HttpRequest http = http_request(request);
  http.total_timeout = longest;
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
  collect_warnings(response);
  if (!success(response.status)) throw error_of(response, request.what, world_.clock.wall_time());
  lines->finish();
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
    if (warned_.size() < kWarningLimit && warned_.insert(text).second) warnings_.push_back(text);
    begin = header.find("299 ", position);
  }
}

std::vector<std::string> Requester::take_warnings() { return std::exchange(warnings_, {}); }

}  // namespace blackstart::kube
