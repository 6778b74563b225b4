#include "orchestrator/world/http_url.h"

#include <curl/curl.h>

#include <memory>

namespace blackstart::real {
namespace {

using Url = std::unique_ptr<CURLU, void (*)(CURLU*)>;

// Null when it cannot be read.
Url read(const std::string& text) {
  Url url(curl_url(), curl_url_cleanup);
  const unsigned any_scheme = CURLU_NON_SUPPORT_SCHEME;  // socks5h is one for proxies alone
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), any_scheme) != CURLUE_OK) url.reset();
  return url;
}

std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  std::string result = text;
  curl_free(text);
  return result;
}

}  // namespace

UrlParts parse_url(const std::string& text) {
  Url url = read(text);
  if (!url) return {};
  return {part(url, CURLUPART_SCHEME), part(url, CURLUPART_HOST),
          part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT), part(url, CURLUPART_PATH)};
}

// curl itself would take 1080 for every proxy.
std::string proxy_url(const std::string& text) {
  const std::string complete = text.find("://") == std::string::npos ? "http://" + text : text;
  Url url = read(complete);
  if (!url || part(url, CURLUPART_SCHEME) != "http") return complete;
  const std::string port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  curl_url_set(url.get(), CURLUPART_PORT, port.c_str(), 0);
  return part(url, CURLUPART_URL);
}

std::string with_host(const std::string& text, const std::string& host) {
  Url url = read(text);
  if (!url || curl_url_set(url.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) return {};
  return part(url, CURLUPART_URL);
}

}  // namespace blackstart::real
