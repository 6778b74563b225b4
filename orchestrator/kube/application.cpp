#include "orchestrator/kube/application.h"

namespace blackstart::kube {

namespace json = boost::json;

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

}  // namespace blackstart::kube
