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

HttpTransfer::HttpTransfer(std::shared_ptr<EasyPool> pool, HttpRequest request, ProxySettings proxy)
    : pool_(std::move(pool)),
      easy_(pool_->take()),
      request_(std::move(request)),
      last_byte_(std::chrono::steady_clock::now()) {
  try {
    set_basics();
    set_method();
    set_headers();
    set_timeouts();
    set_tls();
    set_proxy(proxy);
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
  transfer->last_byte_ = std::chrono::steady_clock::now();
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
  transfer->last_byte_ = std::chrono::steady_clock::now();
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

Instant HttpTransfer::silent_at() {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (sent != sent_) last_byte_ = std::chrono::steady_clock::now();
  sent_ = sent;
  bool watched = request_.idle_timeout > Duration::zero();
  return watched ? last_byte_ + request_.idle_timeout : Instant::max();
}

bool HttpTransfer::connected() const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

std::string HttpTransfer::title() const {
  UrlParts url = parse_url(request_.url);
  if (url.host.empty()) return request_.method + " (a URL that cannot be read)";
  return request_.method + " " + url.scheme + "://" + url.endpoint() + url.path;
}

Error HttpTransfer::idle_error() const {
  return Error(ErrorClass::kTransient, title() + ": the server fell silent")
      .because("no byte came for " + format_duration(request_.idle_timeout));
}

Error HttpTransfer::failure(CURLcode result) const {
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  return to_error(title(), {result, reason_, static_cast<int>(system_error), connected()});
}

HttpResponse HttpTransfer::finish(CURLcode result) {
  if (callback_failure_) std::rethrow_exception(callback_failure_);
  if (body_too_large_) throw AnswerTooLarge(title(), request_.body_limit);
  if (header_bytes_ > kHeaderLimit)
    throw Error(ErrorClass::kPermanent, title() + ": the answer's headers are too large")
        .because("they are longer than the limit of " + std::to_string(kHeaderLimit) + " bytes");
  if (result != CURLE_OK) throw failure(result);
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

}  // namespace blackstart::real
