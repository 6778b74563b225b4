// One HTTP exchange on a curl handle: its settings, and what has come of it so far.
#pragma once

#include <curl/curl.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/world/http.h"
#include "orchestrator/world/http_multi.h"

namespace blackstart::real {

/// Easy handles for reuse; they keep nothing of the exchange before.
class EasyPool {
 public:
  ~EasyPool();
  CURL* take();
  void give(CURL* easy);

 private:
  std::vector<CURL*> free_;
};

/// Which proxy to take and for which hosts not, as curl wants it.
struct ProxySettings {
  std::string url;  // empty = none
  std::string except;
};

/// Not movable: curl holds its address. Remove its handle from the multi before it dies.
class HttpTransfer {
 public:
  /// Throws Error(kUsage) for a URL or header that cannot be sent.
  HttpTransfer(std::shared_ptr<EasyPool> pool, HttpRequest request, ProxySettings proxy);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  CURL* easy() const { return easy_; }
  /// Called when it has ended.
  HttpMulti::Completion on_end;
  /// When it counts as silent, unless a byte goes either way before.
  Instant silent_at();
  /// The answer, or throws what went wrong. Once, after the end.
  HttpResponse finish(CURLcode result);
  Error idle_error() const;

 private:
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  static size_t on_body(char* data, size_t size, size_t count, void* self);
  static int on_connect(void* self, curl_socket_t socket, curlsocktype purpose);
  void header_line(std::string_view line);
  bool body_part(std::string_view data);
  void set_basics();
  void set_method();
  void set_headers();
  void set_timeouts();
  void set_tls();
  void set_server_name();
  void set_proxy(const ProxySettings& proxy);
  void add_header(const std::string& line);
  bool connected() const;
  Error failure(CURLcode result) const;
  std::string title() const;  // "GET https://host/path"

  std::shared_ptr<EasyPool> pool_;
  CURL* easy_;
  HttpRequest request_;
  HttpResponse response_;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  char reason_[CURL_ERROR_SIZE] = {};
  Instant last_byte_;
  curl_off_t sent_ = 0;
  size_t header_bytes_ = 0;
  bool body_too_large_ = false;
  std::exception_ptr callback_failure_;
};

}  // namespace blackstart::real
