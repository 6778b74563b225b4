// HTTP requests over few, long-lived connections.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/world/clock.h"

namespace blackstart {

/// Who we are and whom we trust, in PEM. Shared by all requests to one server; compared by address
/// when connections are reused.
struct TlsIdentity {
  std::string ca;           // empty = the system's trust store
  std::string certificate;  // client certificate chain; may be empty
  std::string key;          // its private key: a secret
  std::string server_name;  // overrides the name that is verified; empty = the URL's host
  bool insecure = false;    // skips verification; the caller warns
  std::string proxy;        // http, https or socks5 URL; empty = as the environment says
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::map<std::string, std::string> headers;
  std::vector<std::pair<std::string, std::string>> repeated_headers;  // a line for each, in order
  std::string body;
  std::shared_ptr<const TlsIdentity> tls;
  bool once = false;  // never sent a second time unasked, as is done when a kept connection breaks
  Duration connect_timeout = std::chrono::seconds(10);  // for name, TCP and TLS together
  Duration total_timeout = std::chrono::seconds(60);    // zero = none; only for streams
  Duration idle_timeout = std::chrono::seconds(15);     // no byte for so long ends it; zero = none
  Duration first_byte_timeout{};  // the same until the answer begins; zero = idle_timeout
  size_t body_limit = 64u << 20;
  std::function<void(std::string_view)> on_body;  // set = streamed, `HttpResponse::body` stays
                                                  // empty (only 2xx bodies are streamed)
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Http {
 public:
  virtual ~Http() = default;
  /// Any status is a response. Throws Error: kUnreachable (refused, no route, DNS, connect
  /// timeout; names the addresses that were tried), kTransient (reset, truncated, idle),
  /// kAuthentication (TLS verification), kPermanent (too large: AnswerTooLarge).
  virtual Task<HttpResponse> send(HttpRequest request) = 0;
};

}  // namespace blackstart
