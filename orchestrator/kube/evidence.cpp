#include "orchestrator/kube/evidence.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "orchestrator/kube/json.h"
#include "orchestrator/kube/pod_states.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kSuspects = 5;
constexpr size_t kEvents = 5;

struct Maker {
  const char* kind;
  const char* child_version;
  const char* child_kind;
};

// Which kinds make which; a child names its maker in ownerReferences.
constexpr Maker kMakers[] = {
    {"Deployment", "apps/v1", "ReplicaSet"},
    {"ReplicaSet", "v1", "Pod"},
    {"ReplicationController", "v1", "Pod"},
    {"StatefulSet", "v1", "Pod"},
    {"DaemonSet", "v1", "Pod"},
    {"Job", "v1", "Pod"},
    {"CronJob", "batch/v1", "Job"},
    {"ApplicationSet", "argoproj.io/v1alpha1", "Application"},
};

bool owned_by(const json::value& object, const std::string& uid) {
  const json::array& owners = list_at(object, {"metadata", "ownerReferences"});
  return std::ranges::any_of(
      owners, [&](const json::value& owner) { return text_at(owner, {"uid"}) == uid; });
}

// An old ReplicaSet that was scaled to nothing is ready, so only what is wanted and missing stays.
// What is broken comes before what is on its way; the newest first, as it is the one being rolled
// out.
int rank(const json::value& object) {
  if (readiness_of(object).state == Readiness::State::kFailed) return 0;
  const bool explained = text_at(object, {"kind"}) == "Pod" && !pod_trouble(object).empty();
  return explained ? 0 : 1;
}

std::vector<Suspect> not_ready(std::vector<json::value> objects) {
  std::erase_if(objects, [](const json::value& object) { return readiness_of(object).ready(); });
  std::ranges::stable_sort(objects, [](const json::value& a, const json::value& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return text_at(a, {"metadata", "creationTimestamp"}) >
           text_at(b, {"metadata", "creationTimestamp"});
  });
  if (objects.size() > kSuspects) objects.resize(kSuspects);
  std::vector<Suspect> suspects;
  for (json::value& object : objects) {
    std::string text = ref_of(object).to_string() + ": " + readiness_of(object).reason;
    suspects.push_back({std::move(text), std::move(object)});
  }
  return suspects;
}

Task<std::vector<Suspect>> children(Client& client, json::value object, Maker maker) {
  const std::string uid = text_at(object, {"metadata", "uid"});
  const std::string name_space = text_at(object, {"metadata", "namespace"});
  auto list = co_await client.list(maker.child_version, maker.child_kind, name_space);
  std::vector<json::value> mine;
  if (list) {
    for (json::value& item : list->items) {
      if (owned_by(item, uid)) mine.push_back(std::move(item));
    }
  }
  co_return not_ready(std::move(mine));
}

ObjectRef resource_ref(const json::value& resource) {
  const std::string group = text_at(resource, {"group"});
  return {(group.empty() ? "" : group + "/") + text_at(resource, {"version"}),
          text_at(resource, {"kind"}), text_at(resource, {"namespace"}),
          text_at(resource, {"name"})};
}

// What Argo CD's last sync said of its resources, hooks among them.
std::vector<Suspect> refused_by_sync(const json::value& application) {
  std::vector<Suspect> suspects;
  for (const json::value& result :
       list_at(application, {"status", "operationState", "syncResult", "resources"})) {
    const bool bad = text_at(result, {"status"}) == "SyncFailed" ||
                     text_at(result, {"hookPhase"}) == "Failed" ||
                     text_at(result, {"hookPhase"}) == "Error";
    if (bad && suspects.size() < kSuspects)
      suspects.push_back(
          {resource_ref(result).to_string() + ": " + text_at(result, {"message"}), nullptr});
  }
  return suspects;
}

bool unhealthy(const json::value& resource) {
  const std::string health = text_at(resource, {"health", "status"});
  return !health.empty() && health != "Healthy" && health != "Suspended";
}

Task<std::vector<Suspect>> resources_of_application(Client& client, json::value application) {
  std::vector<Suspect> suspects = refused_by_sync(application);
  if (!suspects.empty()) co_return suspects;
  for (const json::value& resource : list_at(application, {"status", "resources"})) {
    const bool out_of_sync = text_at(resource, {"status"}) == "OutOfSync";
    if ((!unhealthy(resource) && !out_of_sync) || suspects.size() >= kSuspects) continue;
    const ObjectRef ref = resource_ref(resource);
    std::string state = unhealthy(resource) ? text_at(resource, {"health", "status"}) : "OutOfSync";
    const std::string message = text_at(resource, {"health", "message"});
    if (!message.empty()) state += ": " + message;
    json::value live;
    if (unhealthy(resource)) {
      auto found = co_await if_readable(client.get(ref));
      if (found) live = std::move(*found);
    }
    suspects.push_back({ref.to_string() + ": " + state, std::move(live)});
  }
  std::ranges::stable_sort(suspects, {}, [](const Suspect& s) { return s.object.is_null(); });
  co_return suspects;
}

}  // namespace

Task<std::vector<Suspect>> suspects_below(Client& client, json::value object) {
  const std::string kind = text_at(object, {"kind"});
  if (kind == "Application") co_return co_await resources_of_application(client, std::move(object));
  for (const Maker& maker : kMakers) {
    if (kind == maker.kind) co_return co_await children(client, std::move(object), maker);
  }
  co_return std::vector<Suspect>();
}

Task<std::vector<std::string>> warning_events(Client& client, json::value object) {
  const ObjectRef ref = ref_of(object);
  const std::string uid = text_at(object, {"metadata", "uid"});
  // Events of cluster-scoped objects are kept in the namespace default.
  const Resource events{"v1", "Event", "events", true};
  const std::string path = path_of(events, ref.name_space.empty() ? "default" : ref.name_space, {});
  const std::string selector = "involvedObject.uid=" + uid + ",type=Warning";
  std::vector<std::pair<std::string, std::string>> found;  // time, text
  if (uid.empty()) co_return std::vector<std::string>();
  Client::List list = co_await client.list_path(path, "fieldSelector=" + percent_encode(selector));
  for (const json::value& event : list.items) {
    std::string time = text_at(event, {"lastTimestamp"});
    if (time.empty())
      time = text_at(event, {"eventTime"}, text_at(event, {"metadata", "creationTimestamp"}));
    found.emplace_back(time, text_at(event, {"reason"}) + ": " + text_at(event, {"message"}));
  }
  std::ranges::sort(found);
  if (found.size() > kEvents) found.erase(found.begin(), found.end() - kEvents);
  std::vector<std::string> texts;
  for (auto& [time, text] : found) texts.push_back(std::move(text));
  co_return texts;
}

}  // namespace blackstart::kube
