#include "tests/unit/faults/good_api.h"

namespace blackstart::faults {

namespace {

constexpr const char* kDiscovery =
    R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":""},"versions":[{"version":"v1",)"
    R"("resources":[{"resource":"configmaps","responseKind":{"kind":"ConfigMap"},)"
    R"("scope":"Namespaced"}]}]}]})";
constexpr const char* kNoGroups = R"({"kind":"APIGroupDiscoveryList","items":[]})";

std::string version_in(const std::string& target) {
  const size_t at = target.find("resourceVersion=");
  return at == std::string::npos ? "" : target.substr(at + 16, target.find('&', at) - at - 16);
}

}  // namespace

std::string frame(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string config_map(const std::string& name, const std::string& version) {
  return R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + name +
         R"(","namespace":"a","resourceVersion":")" + version + "\"}}";
}

// Versions are 10 before "two" is there, and 11 after.
std::string GoodApi::list() const {
  std::string items = config_map("one", "1");
  if (has_two_) items += "," + config_map("two", "11");
  return R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
         std::string(has_two_ ? "11" : "10") + R"("},"items":[)" + items + "]}";
}

std::string GoodApi::answer(const Request& request) const {
  if (request.target == "/api") return whole(kDiscovery);
  if (request.target == "/apis") return whole(kNoGroups);
  if (request.target.find("/configmaps?") != std::string::npos && request.method == "GET")
    return whole(list());
  return whole(config_map("b", "5"));
}

bool GoodApi::is_afterwards(const Request& request) const {
  return has_two_ && request.is_watch() && version_in(request.target) == "11";
}

std::string GoodApi::watch_from(const Request& request) const {
  const bool news = has_two_ && version_in(request.target) != "11";
  return chunked_head() + (news ? chunk(frame("ADDED", config_map("two", "11"))) : "");
}

}  // namespace blackstart::faults
