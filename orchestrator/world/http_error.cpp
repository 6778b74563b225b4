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

Verdict verdict(const CurlFailure& failure, const std::string& reason) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorClass::kUnreachable, "the name does not resolve"};
    case CURLE_COULDNT_CONNECT: return {ErrorClass::kUnreachable, "no connection"};
    case CURLE_OPERATION_TIMEDOUT:
      if (!failure.connected) return {ErrorClass::kUnreachable, "no connection in time"};
      return {ErrorClass::kTransient, "no complete answer in time"};
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
      return {ErrorClass::kTransient, "the connection broke"};
    case CURLE_GOT_NOTHING:
      return {ErrorClass::kTransient, "the connection was closed without an answer"};
    case CURLE_PARTIAL_FILE: return {ErrorClass::kTransient, "the answer is incomplete"};
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return {ErrorClass::kTransient, "the HTTP/2 stream broke"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {ErrorClass::kPermanent, "the answer is not what its encoding says"};
    default: return {ErrorClass::kPermanent, "the request cannot be made"};
  }
}

}  // namespace

Error to_error(const std::string& request, const CurlFailure& failure) {
  std::string reason = failure.reason.empty() ? curl_easy_strerror(failure.code) : failure.reason;
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == ' ')) reason.pop_back();
  Verdict known = verdict(failure, reason);
  Error error(known.error_class, request + ": " + known.what);
  error.because(reason);
  bool refused = failure.code == CURLE_COULDNT_CONNECT && failure.system_error != 0;
  if (refused) error.because(std::strerror(failure.system_error));
  if (*known.hint != '\0') error.hint(known.hint);
  return error;
}

}  // namespace blackstart::real
