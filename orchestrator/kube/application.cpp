#include "orchestrator/kube/application.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "orchestrator/kube/json.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

bool says_nothing(const json::value& value) {
  if (const auto* map = value.if_object()) return map->empty();
  if (const auto* list = value.if_array()) return list->empty();
  if (const auto* text = value.if_string()) return text->empty();
  return value.is_null() || value == json::value(false) ||
         (value.is_number() && value.to_number<double>() == 0);
}

// Without what Argo CD leaves out when it writes its own types: zeros, and what holds nothing
// else.
json::value without_zeros(const json::value& value) {
  if (const auto* list = value.if_array()) {
    json::array result;
    for (const json::value& item : *list) result.push_back(without_zeros(item));
    return result;
  }
  if (!value.is_object()) return value;
  json::object result;
  for (const auto& [key, item] : value.get_object())
    if (json::value kept = without_zeros(item); !says_nothing(kept)) result[key] = std::move(kept);
  return result;
}

json::value part_of(const json::value& application, std::initializer_list<std::string_view> path) {
  const json::value* found = find(application, path);
  return found == nullptr ? json::value(json::object()) : without_zeros(*found);
}

bool is_compared(const json::value& application, const char* part) {
  return same_value(part_of(application, {"spec", part}),
                    part_of(application, {"status", "sync", "comparedTo", part}));
}

}  // namespace

ObjectRef ref_of_resource(const json::value& resource) {
  const std::string group = text_at(resource, {"group"});
  return {(group.empty() ? "" : group + "/") + text_at(resource, {"version"}),
          text_at(resource, {"kind"}), text_at(resource, {"namespace"}),
          text_at(resource, {"name"})};
}

const json::array& sync_results(const json::value& application) {
  return list_at(application, {"status", "operationState", "syncResult", "resources"});
}

bool failed_to_sync(const json::value& result) {
  const std::string phase = text_at(result, {"hookPhase"});
  return text_at(result, {"status"}) == "SyncFailed" || phase == "Failed" || phase == "Error";
}

bool breaks_application(std::string_view condition) {
  return condition == "ComparisonError" || condition == "InvalidSpecError" ||
         condition == "UnknownError";
}

bool is_compared(const json::value& application) {
  if (!is_compared(application, "destination")) return false;
  if (!list_at(application, {"spec", "sources"}).empty())
    return is_compared(application, "sources");
  // Without any source Argo CD makes one up, from sourceHydrator.
  return says_nothing(part_of(application, {"spec", "source"})) ||
         is_compared(application, "source");
}

}  // namespace blackstart::kube
