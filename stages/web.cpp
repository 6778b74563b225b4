#include "stages/web.h"

#include "orchestrator/world/http_url.h"

namespace blackstart::stages {
namespace {

/// "example.com:8443" of "https://example.com:8443/a"; with the user, if any, still there.
std::string authority_of(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == url.npos ? 0 : scheme + 3;
  return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

/// "127.0.0.1" of "127.0.0.1:8080", "[::1]" of "[::1]:8080".
std::string host_of(const std::string& authority) {
  const size_t colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  return authority.substr(0, colon);
}

}  // namespace

void check_url(const std::string& url, const Place& place) {
  if (authority_of(url).find('@') != url.npos)
    throw Error(ErrorClass::kUsage, "a URL with credentials cannot be used")
        .at(place)
        .hint(
            "a URL stands in every log on the way: take them out; a file that needs them is "
            "downloaded by hand, and given as path");
  Error error(ErrorClass::kUsage, "'" + without_query(url) + "' cannot be used");
  error.at(place);
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    throw error.because("it is no https URL");
  if (authority_of(url).empty()) throw error.because("it names no host");
  if (real::parse_url(url).host.empty()) throw error.because("it is no URL");
}

std::string origin_of(const std::string& url) {
  return url.substr(0, url.find("://") + 3) + authority_of(url);
}

bool is_of_this_machine(const std::string& url) {
  const std::string host = host_of(authority_of(url));
  const bool numeric = host.find_first_not_of("0123456789.") == host.npos;
  return (numeric && host.starts_with("127.")) || host == "[::1]" || host == "localhost";
}

std::string without_query(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

ErrorClass class_of_status(int status) {
  if (status == 401 || status == 403) return ErrorClass::kAuthentication;
  if (status == 429) return ErrorClass::kThrottled;
  return status == 408 || status >= 500 ? ErrorClass::kTransient : ErrorClass::kPermanent;
}

}  // namespace blackstart::stages
