// What a request becomes in curl's options.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <new>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/world/http_transfer.h"
#include "orchestrator/world/http_url.h"

namespace blackstart::real {
namespace {

// A peer that is gone without a word is noticed within 14 s: probes after 5, 8, 11 and 14 s of
// silence, and no more than 12 s without an acknowledgement.
constexpr long kProbeAfterSeconds = 5;
constexpr long kProbeEverySeconds = 3;
constexpr unsigned kUnacknowledgedLimitMs = 12'000;

// "10.0.0.1:6443", "[fd00::1]:6443".
std::string text_of(const curl_sockaddr& address) {
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  ::getnameinfo(&address.addr, address.addrlen, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
  std::string name = address.family == AF_INET6 ? "[" + std::string(host) + "]" : host;
  return name + ":" + port;
}

curl_blob blob_of(const std::string& text) {
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

}  // namespace

void HttpTransfer::set_basics() {
  UrlParts url = parse_url(request_.url);
  if (url.host.empty() || (url.scheme != "https" && url.scheme != "http"))
    throw Error(ErrorClass::kPermanent, "not an HTTP URL: " + title());
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, &on_end);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, reason_);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::on_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, &HttpTransfer::on_progress);
  curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Rather a further stream on a connection that is being made than a further connection.
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, 1L);
  // When a kept connection turns out to be broken curl sends again on a new one, whatever the
  // server has made of the first. On a connection of its own it has no reason to.
  if (request_.once) curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  // Else giving up on a name service that hangs means to wait for it, with the whole loop.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
}

void HttpTransfer::set_method() {
  const std::string& method = request_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (method == "GET" && request_.body.empty()) {
    curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  } else {
    bool has_body =
        !request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
    if (has_body) {
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.data());
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request_.body.size()));
    }
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void HttpTransfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_, line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  headers_ = longer;
}

void HttpTransfer::add_header(const std::string& name, const std::string& value) {
  if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    throw Error(ErrorClass::kPermanent, title() + ": the header " + name + " holds a line break");
  add_header(value.empty() ? name + ";" : name + ": " + value);
}

void HttpTransfer::set_headers() {
  bool encoding_chosen = false;
  bool type_chosen = false;
  for (const auto& [name, value] : request_.repeated_headers) add_header(name, value);
  for (const auto& [name, value] : request_.headers) {
    add_header(name, value);
    encoding_chosen = encoding_chosen || lower_case(name) == "accept-encoding";
    type_chosen = type_chosen || lower_case(name) == "content-type";
  }
  if (!type_chosen) add_header("Content-Type:");  // else curl would claim a form
  add_header("Expect:");                          // else a large body waits for a 100
  if (!encoding_chosen) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
}

// The limits of a request are ours (gives_up_at). Of the one for the connection curl must know as
// well: it shares it out among the addresses of a name.
void HttpTransfer::set_timeouts() {
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, kProbeAfterSeconds);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, kProbeEverySeconds);
}

void HttpTransfer::set_tls() {
  if (!request_.tls) return;
  const TlsIdentity& tls = *request_.tls;
  if (!tls.ca.empty()) {
    curl_blob blob = blob_of(tls.ca);
    curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &blob);
    curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);  // else the system's CAs are trusted as well
  }
  if (!tls.certificate.empty()) {
    curl_blob blob = blob_of(tls.certificate);
    curl_easy_setopt(easy_, CURLOPT_SSLCERT_BLOB, &blob);
  }
  if (!tls.key.empty()) {
    curl_blob blob = blob_of(tls.key);
    curl_easy_setopt(easy_, CURLOPT_SSLKEY_BLOB, &blob);
  }
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, tls.insecure ? 0L : 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, tls.insecure ? 0L : 2L);
  if (!tls.server_name.empty()) set_server_name();
}

// curl verifies the name in the URL: it gets that one, and is sent to the real host all the same.
void HttpTransfer::set_server_name() {
  UrlParts parts = parse_url(request_.url);
  const std::string& name = request_.tls->server_name;
  bool is_ipv6 = name.find(':') != std::string::npos && !name.starts_with('[');
  std::string host = is_ipv6 ? "[" + name + "]" : name;
  std::string url = with_host(request_.url, host);
  if (url.empty()) throw Error(ErrorClass::kPermanent, title() + ": not a server name: " + name);
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());  // copied
  connect_to_ =
      curl_slist_append(nullptr, (host + ":" + parts.port + ":" + parts.endpoint()).c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECT_TO, connect_to_);
  add_header("Host: " + parts.endpoint());
}

void HttpTransfer::set_proxy() {
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_PROXY,
                   proxy_.url.c_str());  // "" = none, whatever the environment
  // As Go does it, a proxy is trusted as the server behind it is.
  const TlsIdentity& tls = *request_.tls;
  if (!tls.ca.empty()) {
    curl_blob blob = blob_of(tls.ca);
    curl_easy_setopt(easy_, CURLOPT_PROXY_CAINFO_BLOB, &blob);
    curl_easy_setopt(easy_, CURLOPT_PROXY_CAPATH, nullptr);
  }
  curl_easy_setopt(easy_, CURLOPT_PROXY_SSL_VERIFYPEER, tls.insecure ? 0L : 1L);
  curl_easy_setopt(easy_, CURLOPT_PROXY_SSL_VERIFYHOST, tls.insecure ? 0L : 2L);
  curl_easy_setopt(easy_, CURLOPT_NOPROXY, proxy_.except.c_str());
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

curl_socket_t HttpTransfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  static_cast<HttpTransfer*>(self)->note_address(text_of(*address));
  int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  // What the kernel does not know it does without: the idle timeout still stands.
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedLimitMs,
               sizeof kUnacknowledgedLimitMs);
  return socket;  // -1 is CURL_SOCKET_BAD
}

}  // namespace blackstart::real
