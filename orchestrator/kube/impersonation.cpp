#include "orchestrator/kube/impersonation.h"

#include "orchestrator/base/hex.h"

namespace blackstart::kube {

namespace {

// RFC 7230 token characters but '%', which stands for the others.
bool stays(char c) {
  constexpr std::string_view kOthers = "!#$&'*+-.^_`|~";
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || kOthers.find(c) != std::string_view::npos;
}

std::string escaped(const std::string& key) {
  std::string text;
  for (const char& c : key) {
    const std::string_view byte(&c, 1);
    text += stays(c) ? std::string(byte) : "%" + hex(byte, "0123456789ABCDEF");
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> headers_of(const Impersonation& as) {
  std::vector<std::pair<std::string, std::string>> headers;
  if (as.user.empty()) return headers;
  headers.emplace_back("Impersonate-User", as.user);
  if (!as.uid.empty()) headers.emplace_back("Impersonate-Uid", as.uid);
  for (const std::string& group : as.groups) headers.emplace_back("Impersonate-Group", group);
  for (const auto& [key, values] : as.extra) {
    for (const std::string& value : values)
      headers.emplace_back("Impersonate-Extra-" + escaped(key), value);
  }
  return headers;
}

}  // namespace blackstart::kube
