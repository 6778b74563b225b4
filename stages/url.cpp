#include "stages/url.h"

#include "orchestrator/base/error.h"

namespace blackstart::stages {
namespace {

/// "127.0.0.1" of "127.0.0.1:8080", "[::1]" of "[::1]:8080".
std::string host_of(const std::string& authority) {
  const size_t colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  return authority.substr(0, colon);
}

}  // namespace

std::string authority_of(const std::string& url) {
  const size_t begin = url.find("://") + 3;
  return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

bool is_of_this_machine(const std::string& url) {
  const std::string host = host_of(authority_of(url));
  const bool numeric = host.find_first_not_of("0123456789.") == host.npos;
  return (numeric && host.starts_with("127.")) || host == "[::1]" || host == "localhost";
}

void check_url(const std::string& url, const Place& place) {
  Error error(ErrorClass::kUsage, "'" + url + "' cannot be used");
  error.at(place);
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    throw error.because("it is no https URL");
  const std::string authority = authority_of(url);
  if (authority.empty()) throw error.because("it names no host");
  if (authority.find('@') != authority.npos)
    throw Error(ErrorClass::kUsage, "a URL with credentials cannot be used")
        .at(place)
        .hint("take them out: a URL stands in every log on the way");
}

std::string without_query(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

}  // namespace blackstart::stages
