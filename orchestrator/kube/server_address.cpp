#include "orchestrator/kube/server_address.h"

#include <algorithm>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"

namespace blackstart::kube {

namespace {

constexpr std::string_view kSchemeEnd = "://";

[[noreturn]] void refuse(const Located& server, const std::string& why, std::string hint) {
  throw Error(ErrorClass::kPermanent, "the kubeconfig's server cannot be used: " + why)
      .at(server.place)
      .hint(std::move(hint));
}

// "host", "host:port", "[::1]:port".
void check_authority(const Located& server, std::string_view authority) {
  if (authority.empty() || authority.starts_with(':'))
    refuse(server, "it names no host", "write it as https://HOST:PORT");
  if (authority.find('@') != std::string_view::npos)
    refuse(server, "it holds a user name or a password",
           "API servers accept neither: take it out, and give the user a token or a certificate");
  if (authority.front() != '[' && std::ranges::count(authority, ':') > 1)
    refuse(server, "an IPv6 address stands in brackets", "write it as https://[::1]:PORT");
}

}  // namespace

std::string server_url(const Located& server) {
  const size_t end = server.text.find(kSchemeEnd);
  const bool complete = end != std::string::npos;
  const std::string scheme = complete ? lower_case(server.text.substr(0, end)) : "http";
  if (scheme != "https" && scheme != "http")
    refuse(server, "it is neither https nor http", "write it as https://HOST:PORT");
  std::string rest = complete ? server.text.substr(end + kSchemeEnd.size()) : server.text;
  rest.resize(std::min(rest.find_first_of("?#"), rest.size()));
  while (rest.ends_with('/')) rest.pop_back();
  const std::string authority = rest.substr(0, rest.find('/'));
  check_authority(server, authority);
  if (!complete && authority != rest)
    refuse(server, "an address with a path needs a scheme", "write it as https://" + rest);
  return scheme + std::string(kSchemeEnd) + rest;
}

}  // namespace blackstart::kube
