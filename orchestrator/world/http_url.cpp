#include "orchestrator/world/http_url.h"

#include <curl/curl.h>

#include <memory>

namespace blackstart::real {
namespace {

using Url = std::unique_ptr<CURLU, void (*)(CURLU*)>;

// Null when it cannot be read.
Url read(const std::string& text) {
  Url url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) url.reset();
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

std::string with_host(const std::string& text, const std::string& host) {
  Url url = read(text);
  if (!url || curl_url_set(url.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) return {};
  return part(url, CURLUPART_URL);
}

}  // namespace blackstart::real
