#include "orchestrator/kube/endpoints.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kMost = 5;

bool selects(const json::object& selector, const json::value& labels) {
  return std::ranges::all_of(selector, [&labels](const auto& pair) {
    const json::string* wanted = pair.value().if_string();
    return wanted && text_at(labels, {pair.key()}) == std::string_view(*wanted);
  });
}

bool is_ready(const json::value& slice) {
  // Without a condition it counts as ready: EndpointConditions in discovery.k8s.io/v1.
  return std::ranges::any_of(list_at(slice, {"endpoints"}), [](const json::value& endpoint) {
    return flag_at(endpoint, {"conditions", "ready"}, true);
  });
}

}  // namespace

Task<bool> has_ready_endpoint(Client& client, json::value service) {
  if (text_at(service, {"spec", "type"}) == "ExternalName") co_return true;
  const ObjectRef ref = ref_of(service);
  const std::string selector = "kubernetes.io/service-name=" + ref.name;
  auto slices =
      co_await client.list("discovery.k8s.io/v1", "EndpointSlice", ref.name_space, selector);
  const bool any = slices && std::ranges::any_of(slices->items, is_ready);
  co_return any;
}

Task<std::vector<json::value>> workloads_behind(Client& client, json::value service) {
  std::vector<json::value> found;
  const json::value* selector = find(service, {"spec", "selector"});
  if (!selector || !selector->is_object() || selector->get_object().empty()) co_return found;
  const std::string name_space = text_at(service, {"metadata", "namespace"});
  for (const char* kind : {"Deployment", "StatefulSet", "DaemonSet"}) {
    auto list = co_await client.list("apps/v1", kind, name_space);
    if (!list) continue;
    for (json::value& one : list->items) {
      const json::value* labels = find(one, {"spec", "template", "metadata", "labels"});
      if (labels && selects(selector->get_object(), *labels) && found.size() < kMost)
        found.push_back(std::move(one));
    }
  }
  co_return found;
}

}  // namespace blackstart::kube
