#include "orchestrator/kube/evidence.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "orchestrator/kube/application.h"
#include "orchestrator/kube/endpoints.h"
#include "orchestrator/kube/json.h"
#include "orchestrator/kube/pod_states.h"
#include "orchestrator/kube/references.h"
#include "orchestrator/kube/surroundings.h"

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
    {"Certificate", "cert-manager.io/v1", "CertificateRequest"},
    {"CertificateRequest", "acme.cert-manager.io/v1", "Order"},
    {"Order", "acme.cert-manager.io/v1", "Challenge"},
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
  if (readiness_of(object).state >= Readiness::State::kStalled) return 0;
  const bool explained = text_at(object, {"kind"}) == "Pod" && !pod_trouble(object).empty();
  return explained ? 0 : 1;
}

void sort_suspects(std::vector<json::value>& objects) {
  std::ranges::stable_sort(objects, [](const json::value& a, const json::value& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return text_at(a, {"metadata", "creationTimestamp"}) >
           text_at(b, {"metadata", "creationTimestamp"});
  });
  if (objects.size() > kSuspects) objects.resize(kSuspects);
}

Task<std::vector<Suspect>> not_ready(Client& client, std::vector<json::value> objects) {
  std::vector<const json::value*> all;
  for (const json::value& object : objects) all.push_back(&object);
  const Surroundings around = co_await look_around(client, std::move(all));
  std::erase_if(objects, [&around](const json::value& object) {
    return readiness_of(object, around).ready();
  });
  sort_suspects(objects);
  std::vector<Suspect> suspects;
  for (json::value& object : objects) suspects.push_back(suspect_of(std::move(object), around));
  co_return suspects;
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
  co_return co_await not_ready(client, std::move(mine));
}

// What it made as one of kMakers; nothing when it makes nothing.
Task<std::vector<Suspect>> made(Client& client, json::value object) {
  const std::string kind = text_at(object, {"kind"});
  for (const Maker& maker : kMakers) {
    if (kind == maker.kind) co_return co_await children(client, std::move(object), maker);
  }
  co_return std::vector<Suspect>();
}

Suspect silent(json::value service) {
  ObjectRef ref = ref_of(service);
  return {std::move(ref), "none of its endpoints is ready", std::move(service)};
}

Suspect missing(ObjectRef ref) { return {std::move(ref), "it does not exist", nullptr}; }

// A kind that the server does not know says nothing of the object.
Task<void> look_at_reference(Client& client, ObjectRef ref, std::vector<Suspect>& suspects) {
  auto known = co_await client.resource(ref.api_version, ref.kind);
  if (!known) co_return;
  if (ref.kind == "Service" && ref.group().empty()) {
    auto unanswered = co_await silent_service(client, std::move(ref));
    if (unanswered) suspects.push_back(std::move(*unanswered));
    co_return;
  }
  auto found = co_await client.get(ref);
  std::vector<json::value> one;
  if (found) one.push_back(std::move(*found));
  if (one.empty()) suspects.push_back(missing(std::move(ref)));
  auto unready = co_await not_ready(client, std::move(one));
  for (Suspect& suspect : unready) suspects.push_back(std::move(suspect));
}

Task<bool> looked_at(Client& client, ObjectRef ref, std::vector<Suspect>& suspects) {
  co_await look_at_reference(client, std::move(ref), suspects);
  co_return true;
}

Task<std::vector<Suspect>> referred_to(Client& client, json::value object) {
  std::vector<Suspect> suspects;
  for (ObjectRef& ref : references_of(object)) {
    co_await if_readable(looked_at(client, std::move(ref), suspects));
    if (suspects.size() >= kSuspects) break;
  }
  co_return suspects;
}

Task<std::vector<Suspect>> behind_service(Client& client, json::value service) {
  auto workloads = co_await workloads_behind(client, std::move(service));
  std::vector<Suspect> suspects;
  for (const json::value& one : workloads) {
    const bool idle = number_at(one, {"spec", "replicas"}, 1) == 0;
    if (idle) suspects.push_back({ref_of(one), "it is scaled to zero", nullptr});
  }
  auto unready = co_await not_ready(client, std::move(workloads));
  for (Suspect& suspect : unready) suspects.push_back(std::move(suspect));
  co_return suspects;
}

// What Argo CD's last sync said of its resources, hooks among them.
std::vector<Suspect> refused_by_sync(const json::value& application) {
  std::vector<Suspect> suspects;
  for (const json::value& result : sync_results(application)) {
    if (failed_to_sync(result) && suspects.size() < kSuspects)
      suspects.push_back({ref_of_resource(result), text_at(result, {"message"}), nullptr});
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
    const ObjectRef ref = ref_of_resource(resource);
    std::string state = unhealthy(resource) ? text_at(resource, {"health", "status"}) : "OutOfSync";
    const std::string message = text_at(resource, {"health", "message"});
    if (!message.empty()) state += ": " + message;
    json::value live;
    if (unhealthy(resource)) {
      auto found = co_await if_readable(client.get(ref));
      if (found) live = std::move(*found);
    }
    if (!live.is_null()) state = readiness_of(live).reason;
    suspects.push_back({ref, std::move(state), std::move(live)});
  }
  std::ranges::stable_sort(suspects, {}, [](const Suspect& s) { return s.object.is_null(); });
  co_return suspects;
}

}  // namespace

Suspect suspect_of(json::value object, const Surroundings& around) {
  ObjectRef ref = ref_of(object);
  std::string state = readiness_of(object, around).reason;
  return {std::move(ref), std::move(state), std::move(object)};
}

Task<std::optional<Suspect>> silent_service(Client& client, ObjectRef ref) {
  auto service = co_await client.get(ref);
  if (!service) co_return missing(std::move(ref));
  const bool answers = co_await has_ready_endpoint(client, *service);
  if (answers) co_return std::nullopt;
  co_return silent(std::move(*service));
}

Task<std::vector<Suspect>> suspects_below(Client& client, json::value object) {
  const ObjectRef ref = ref_of(object);
  if (ref.kind == "Application")
    co_return co_await resources_of_application(client, std::move(object));
  if (ref.kind == "Service" && ref.group().empty())
    co_return co_await behind_service(client, std::move(object));
  auto suspects = co_await if_readable(made(client, object));
  auto named = co_await if_readable(referred_to(client, std::move(object)));
  for (Suspect& suspect : named) suspects.push_back(std::move(suspect));
  co_return suspects;
}

namespace {

// The same trouble happens to one pod after another: what stands in quotes tells them apart.
std::string without_quoted(const std::string& text) {
  std::string rest;
  bool quoted = false;
  for (const char letter : text) {
    if (letter == '"') quoted = !quoted;
    if (!quoted) rest += letter;
  }
  return rest;
}

std::string text_of_event(const json::value& event) {
  constexpr std::string_view kCombined = "(combined from similar events): ";
  std::string message = text_at(event, {"message"});
  if (message.starts_with(kCombined)) message.erase(0, kCombined.size());
  return text_at(event, {"reason"}) + ": " + message;
}

std::string time_of_event(const json::value& event) {
  const std::string time = text_at(event, {"lastTimestamp"}, text_at(event, {"eventTime"}));
  return time.empty() ? text_at(event, {"metadata", "creationTimestamp"}) : time;
}

// The newest of each, oldest first.
std::vector<std::string> texts_of_events(std::vector<json::value> events) {
  std::ranges::stable_sort(events, {}, time_of_event);
  std::vector<std::string> texts;
  std::set<std::string> known;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    std::string text = text_of_event(*event);
    if (known.insert(without_quoted(text)).second && texts.size() < kEvents)
      texts.push_back(std::move(text));
  }
  std::ranges::reverse(texts);
  return texts;
}

}  // namespace

Task<std::vector<std::string>> warning_events(Client& client, json::value object) {
  const ObjectRef ref = ref_of(object);
  const std::string uid = text_at(object, {"metadata", "uid"});
  // Events of cluster-scoped objects are kept in the namespace default.
  const Resource events{"v1", "Event", "events", true};
  const std::string path = path_of(events, ref.name_space.empty() ? "default" : ref.name_space, {});
  const std::string selector = "involvedObject.uid=" + uid + ",type=Warning";
  if (uid.empty()) co_return std::vector<std::string>();
  Client::List list = co_await client.list_path(path, "fieldSelector=" + percent_encode(selector));
  co_return texts_of_events(std::move(list.items));
}

}  // namespace blackstart::kube
