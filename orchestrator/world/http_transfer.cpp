#include "orchestrator/world/http_transfer.h"

#include <new>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/world/answer_too_large.h"
#include "orchestrator/world/http_error.h"
#include "orchestrator/world/http_url.h"

namespace blackstart::real {
namespace {

constexpr size_t kHeaderLimit = 256 * 1024;
constexpr size_t kFreeHandlesKept = 128;

}  // namespace

EasyPool::~EasyPool() {
  for (CURL* easy : free_) curl_easy_cleanup(easy);
}

CURL* EasyPool::take() {
  if (free_.empty()) {
    CURL* easy = curl_easy_init();
    if (easy == nullptr) throw std::bad_alloc();
    return easy;
  }
  CURL* easy = free_.back();
  free_.pop_back();
  return easy;
}

void EasyPool::give(CURL* easy) {
  if (free_.size() >= kFreeHandlesKept) return curl_easy_cleanup(easy);
  curl_easy_reset(easy);
  free_.push_back(easy);
}

HttpTransfer::HttpTransfer(std::shared_ptr<EasyPool> pool, const Clock& clock, HttpRequest request,
                           ProxySettings proxy)
    : pool_(std::move(pool)),
      clock_(clock),
      easy_(pool_->take()),
      request_(std::move(request)),
      proxy_(std::move(proxy)),
      begun_(clock.now()),
      connecting_since_(begun_),
      got_on_(begun_) {
  try {
    set_basics();
    set_method();
    set_headers();
    set_timeouts();
    set_tls();
    set_proxy();
  } catch (...) {
    curl_slist_free_all(headers_);
    curl_slist_free_all(connect_to_);
    pool_->give(easy_);
    throw;
  }
}

HttpTransfer::~HttpTransfer() {
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
  pool_->give(easy_);
}

size_t HttpTransfer::on_header(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  std::string_view line(data, size * count);
  transfer->got_on_ = transfer->clock_.now();
  transfer->header_bytes_ += line.size();
  if (transfer->header_bytes_ > kHeaderLimit) return 0;
  transfer->header_line(line);
  return line.size();
}

void HttpTransfer::header_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // after a 100 there is a second one
    response_.headers.clear();
    return;
  }
  size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string& value = response_.headers[lower_case(trim(line.substr(0, colon)))];
  if (!value.empty()) value += ", ";
  value += trim(line.substr(colon + 1));
}

size_t HttpTransfer::on_body(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  std::string_view part(data, size * count);
  transfer->got_on_ = transfer->clock_.now();
  try {
    if (transfer->body_part(part)) return part.size();
  } catch (...) {
    transfer->callback_failure_ = std::current_exception();  // must not pass through curl
  }
  return part.empty() ? 1 : 0;  // anything but its size breaks the transfer off
}

bool HttpTransfer::body_part(std::string_view data) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (request_.on_body && status / 100 == 2) {
    request_.on_body(data);
    return true;
  }
  body_too_large_ = response_.body.size() + data.size() > request_.body_limit;
  if (!body_too_large_) response_.body.append(data);
  return !body_too_large_;
}

// Called after each step of the transfer.
int HttpTransfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  bool connected = transfer->connected();
  if (connected != transfer->was_connected_ || sent != transfer->sent_)
    transfer->got_on_ = transfer->clock_.now();
  transfer->was_connected_ = connected;
  transfer->sent_ = sent;
  return 0;
}

Duration HttpTransfer::allowed_silence() const {
  bool may_think = header_bytes_ == 0 && request_.first_byte_timeout > Duration::zero();
  return may_think ? request_.first_byte_timeout : request_.idle_timeout;
}

Duration HttpTransfer::connect_limit() const {
  bool endless = request_.total_timeout == Duration::zero();
  return endless ? request_.connect_timeout
                 : std::min(request_.connect_timeout, request_.total_timeout);
}

Instant HttpTransfer::gives_up_at() const {
  if (!connected()) return connecting_since_ + connect_limit();
  auto after = [](Instant from, Duration limit) {
    return limit > Duration::zero() ? from + limit : Instant::max();
  };
  return std::min(after(begun_, request_.total_timeout), after(got_on_, allowed_silence()));
}

Instant HttpTransfer::look_again_at() const {
  const bool limits_stay = connected() && header_bytes_ > 0;
  if (limits_stay || request_.idle_timeout <= Duration::zero()) return gives_up_at();
  return std::min(gives_up_at(), clock_.now() + request_.idle_timeout);
}

Error HttpTransfer::out_of_time() const {
  if (!connected()) return no_connection_in_time(title(), addresses_, connect_limit());
  bool silent = allowed_silence() > Duration::zero() && clock_.now() >= got_on_ + allowed_silence();
  if (silent)
    return Error(ErrorClass::kTransient, title() + ": the server fell silent")
        .because("no byte came for " + format_duration(allowed_silence()));
  return Error(ErrorClass::kTransient, title() + ": no complete answer in time")
      .because("after " + format_duration(request_.total_timeout));
}

// In microseconds; 0 until there is a connection. It never falls: curl adds to it when it connects
// again.
curl_off_t HttpTransfer::connect_time() const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds;
}

bool HttpTransfer::connected() const { return connect_time() > lost_connect_time_; }

// A kept connection that breaks before a byte came is made anew by curl itself.
void HttpTransfer::note_address(std::string address) {
  if (connected()) {
    lost_connect_time_ = connect_time();
    connecting_since_ = clock_.now();
    addresses_.clear();
  }
  addresses_.push_back(std::move(address));
}

std::string HttpTransfer::title() const {
  UrlParts url = parse_url(request_.url);
  if (url.host.empty()) return request_.method + " (a URL that cannot be read)";
  return request_.method + " " + url.scheme + "://" + url.endpoint() + url.path;
}

int HttpTransfer::proxy_status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &status);
  return static_cast<int>(status);
}

// A proxy may be set, and the host be one of those that need none: then it was not.
bool HttpTransfer::proxy_was_asked(CURLcode result) const {
  if (proxy_.url.empty()) return false;
  if (addresses_.empty()) return result == CURLE_COULDNT_RESOLVE_PROXY;
  return addresses_.back().ends_with(":" + parse_url(proxy_.url).port);
}

Error HttpTransfer::failure(CURLcode result) const {
  if (result == CURLE_OPERATION_TIMEDOUT) return out_of_time();
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  return to_error(title(), {.code = result,
                            .reason = reason_,
                            .system_error = static_cast<int>(system_error),
                            .addresses = addresses_,
                            .proxy_status = proxy_status()});
}

HttpResponse HttpTransfer::finish(CURLcode result) {
  if (callback_failure_) std::rethrow_exception(callback_failure_);
  if (body_too_large_) throw AnswerTooLarge(title(), request_.body_limit);
  if (header_bytes_ > kHeaderLimit)
    throw Error(ErrorClass::kPermanent, title() + ": the answer's headers are too large")
        .because("they are longer than the limit of " + std::to_string(kHeaderLimit) + " bytes");
  if (result != CURLE_OK) {
    Error error = failure(result);
    if (error.error_class() == ErrorClass::kUnreachable && proxy_was_asked(result))
      error.hint("the proxy " + parse_url(proxy_.url).endpoint() + " was asked" +
                 (proxy_.of_environment ? ": name what needs none in NO_PROXY"
                                        : ", as the kubeconfig's proxy-url says"));
    throw error;
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

}  // namespace blackstart::real
