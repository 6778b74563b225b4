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
  bool of_environment = false;
};

/// Not movable: curl holds its address. Remove its handle from the multi before it dies.
class HttpTransfer {
 public:
  /// Throws Error(kPermanent) for a URL or header that cannot be sent.
  HttpTransfer(std::shared_ptr<EasyPool> pool, const Clock& clock, HttpRequest request,
               ProxySettings proxy);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  CURL* easy() const { return easy_; }
  /// Called when it has ended.
  HttpMulti::Completion on_end;
  /// When it is given up, unless it gets on before: is connected, moves a byte.
  Instant gives_up_at() const;
  /// When to ask that again at the latest: nobody tells when the connection is made or the headers
  /// come, from which on the limits are shorter.
  Instant look_again_at() const;
  /// What it is given up for, to be asked then.
  Error out_of_time() const;
  /// The answer, or throws what went wrong. Once, after the end.
  HttpResponse finish(CURLcode result);

 private:
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent);
  static size_t on_header(char* data, size_t size, size_t count, void* self);
  static size_t on_body(char* data, size_t size, size_t count, void* self);
  void header_line(std::string_view line);
  bool body_part(std::string_view data);
  void set_basics();
  void set_method();
  void set_headers();
  void set_timeouts();
  void set_tls();
  void set_server_name();
  void set_proxy();
  void add_header(const std::string& line);
  void add_header(const std::string& name, const std::string& value);
  bool connected() const;
  curl_off_t connect_time() const;
  void note_address(std::string address);
  Duration connect_limit() const;
  Duration allowed_silence() const;
  int proxy_status() const;
  bool proxy_was_asked(CURLcode result) const;
  Error failure(CURLcode result) const;
  std::string title() const;  // "GET https://host/path"

  std::shared_ptr<EasyPool> pool_;
  const Clock& clock_;
  CURL* easy_;
  HttpRequest request_;
  ProxySettings proxy_;
  HttpResponse response_;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  char reason_[CURL_ERROR_SIZE] = {};
  std::vector<std::string> addresses_;  // that a connection was asked of, in order
  Instant begun_;
  Instant connecting_since_;
  curl_off_t lost_connect_time_ = 0;  // of the kept connection that broke and is made anew
  Instant got_on_;                    // the connection was there, or the last byte moved
  bool was_connected_ = false;
  curl_off_t sent_ = 0;
  size_t header_bytes_ = 0;
  bool body_too_large_ = false;
  std::exception_ptr callback_failure_;
};

}  // namespace blackstart::real
