// The parts of a URL, read by curl's own rules.
#pragma once

#include <string>

namespace blackstart::real {

struct UrlParts {
  std::string scheme, host, port, path;  // all empty when the URL cannot be read

  std::string endpoint() const { return host + ":" + port; }
};

UrlParts parse_url(const std::string& text);
/// The URL of a proxy as kubectl reads it: without a scheme it is http, which has port 80.
std::string proxy_url(const std::string& text);
/// The same URL with another host; empty when `host` is none.
std::string with_host(const std::string& url, const std::string& host);

}  // namespace blackstart::real
