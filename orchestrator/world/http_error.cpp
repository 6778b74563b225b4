#include "orchestrator/world/http_error.h"

#include <cstring>

namespace blackstart::real {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct Verdict {
  ErrorClass error_class;
  const char* what;
  const char* hint = "";
};

// "sslv3 alert certificate expired", "tlsv1 alert internal error": the server's words, not ours.
bool is_alert(const std::string& reason) { return contains(reason, " alert "); }

// What the server has against us; its own certificate has been no matter yet, or was fine.
Verdict alert_verdict(const std::string& reason) {
  if (contains(reason, "internal error"))  // while it starts: its certificate is not loaded yet
    return {ErrorClass::kTransient, "the server cannot do its part of the TLS handshake"};
  if (contains(reason, "certificate expired"))
    return {ErrorClass::kAuthentication, "the client certificate has expired",
            "make a new kubeconfig; if it has not expired, the server's clock is wrong"};
  return {ErrorClass::kAuthentication, "the server refused the TLS handshake",
          "check the client certificate: it may be missing, expired or of another cluster"};
}

// TLS failures look alike to curl: its text says whether the peer was refused, we were, or it broke
// off.
Verdict tls_verdict(const std::string& reason) {
  if (is_alert(reason)) return alert_verdict(reason);
  if (contains(reason, "expired"))
    return {ErrorClass::kAuthentication, "the server's certificate has expired",
            "renew it; if it has not expired, this machine's clock is wrong"};
  if (contains(reason, "not yet valid"))
    return {ErrorClass::kAuthentication, "the server's certificate is not valid yet",
            "compare this machine's clock with the server's"};
  if (contains(reason, "does not match") ||
      contains(reason, "no alternative certificate subject name"))
    return {ErrorClass::kAuthentication, "the server's certificate is for another name",
            "use a name that is in the certificate, or set tls-server-name"};
  if (contains(reason, "wrong version number") || contains(reason, "packet length too long") ||
      contains(reason, "http request"))
    return {ErrorClass::kPermanent, "the server does not speak TLS on this port",
            "check the port, and https:// against http://"};
  if (contains(reason, "certificate"))
    return {ErrorClass::kAuthentication, "the server's certificate is not trusted",
            "the CA is not the one that signed it: is this the right cluster, and its current CA?"};
  return {ErrorClass::kTransient, "the connection broke during the TLS handshake"};
}

// What a proxy said instead of making a tunnel.
Verdict proxy_verdict(int status) {
  if (status == 407)
    return {ErrorClass::kAuthentication, "the proxy wants credentials",
            "put them into the proxy's URL: http://USER:PASSWORD@HOST:PORT"};
  if (status >= 500) return {ErrorClass::kUnreachable, "the proxy reaches nobody there"};
  return {ErrorClass::kPermanent, "the proxy refuses to connect us"};
}

Verdict verdict(const CurlFailure& failure, const std::string& reason) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorClass::kUnreachable, "the name does not resolve"};
    case CURLE_COULDNT_CONNECT: return {ErrorClass::kUnreachable, "no connection"};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR: return tls_verdict(reason);
    case CURLE_SSL_CERTPROBLEM:
      return {ErrorClass::kAuthentication, "the client certificate or its key cannot be used",
              "check that both are PEM and belong together"};
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {ErrorClass::kAuthentication, "the CA cannot be used", "check that it is PEM"};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      // With TLS 1.3 a refused client certificate is first heard of when reading.
      if (is_alert(reason)) return alert_verdict(reason);
      if (failure.proxy_status / 100 > 2) return proxy_verdict(failure.proxy_status);
      return {ErrorClass::kTransient, "the connection broke"};
    case CURLE_GOT_NOTHING:
      return {ErrorClass::kTransient, "the connection was closed without an answer"};
    case CURLE_PARTIAL_FILE: return {ErrorClass::kTransient, "the answer is incomplete"};
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return {ErrorClass::kTransient, "the HTTP/2 stream broke"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {ErrorClass::kTransient, "the answer is not what its encoding says"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // of the answer: the URL's has been looked at
      return {ErrorClass::kTransient, "the answer is no HTTP"};
    default: return {ErrorClass::kPermanent, "the request cannot be made"};
  }
}

}  // namespace

Error to_error(const std::string& request, const CurlFailure& failure) {
  std::string reason = failure.reason.empty() ? curl_easy_strerror(failure.code) : failure.reason;
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == ' ')) reason.pop_back();
  Verdict known = verdict(failure, reason);
  Error error(known.error_class, request + ": " + known.what);
  bool refused = failure.code == CURLE_COULDNT_CONNECT && failure.system_error != 0;
  if (refused) {  // curl's own text repeats the host, and says after how many milliseconds
    if (!failure.addresses.empty()) error.because(join(failure.addresses, ", "));
    error.because(std::strerror(failure.system_error));
  } else {
    error.because(reason);
  }
  if (*known.hint != '\0') error.hint(known.hint);
  return error;
}

Error no_connection_in_time(const std::string& request, const std::vector<std::string>& addresses,
                            Duration limit) {
  std::string tried = "its name was not resolved within ";
  if (!addresses.empty()) tried = join(addresses, ", ") + " did not answer within ";
  return Error(ErrorClass::kUnreachable, request + ": no connection in time")
      .because(tried + format_duration(limit));
}

}  // namespace blackstart::real
