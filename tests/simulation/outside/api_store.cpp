#include "tests/simulation/outside/api_store.h"

#include <boost/json/array.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/json.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr size_t kHistory = 500;  // events that a watch can still go on from
constexpr Duration kEstablishing = std::chrono::milliseconds(150);
constexpr Duration kServing = std::chrono::milliseconds(200);  // after it is Established

std::vector<ServedKind> built_in() {
  return {{"", "v1", "Namespace", "namespaces", false},
          {"", "v1", "Node", "nodes", false},
          {"", "v1", "ConfigMap", "configmaps"},
          {"", "v1", "Secret", "secrets"},
          {"", "v1", "Service", "services"},
          {"", "v1", "ServiceAccount", "serviceaccounts"},
          {"", "v1", "Pod", "pods"},
          {"", "v1", "Event", "events"},
          {"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"},
          {"apps", "v1", "Deployment", "deployments"},
          {"apps", "v1", "StatefulSet", "statefulsets"},
          {"apps", "v1", "ReplicaSet", "replicasets"},
          {"apps", "v1", "DaemonSet", "daemonsets"},
          {"batch", "v1", "Job", "jobs"},
          {"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"},
          {"rbac.authorization.k8s.io", "v1", "Role", "roles"},
          {"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"},
          {"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", false},
          {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", false},
          {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
           false}};
}

std::string collection_of(const ServedKind& kind) { return kind.group + "/" + kind.plural; }

json::object namespace_named(const std::string& name) {
  return {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
}

json::object& child_of(json::object& object, std::string_view key) {
  json::value& child = object[key];
  if (!child.is_object()) child = json::object();
  return child.get_object();
}

bool same_but_metadata(const json::object& left, const json::object& right) {
  json::object a = left, b = right;
  for (json::object* object : {&a, &b})
    for (const char* key : {"metadata", "status"}) object->erase(key);
  return kube::same_value(a, b);
}

}  // namespace

ApiStore::ApiStore(SimClock& clock, std::string identity)
    : clock_(clock), identity_(std::move(identity)), kinds_(built_in()) {
  for (const char* name : {"default", "kube-node-lease", "kube-public", "kube-system"})
    apply(namespace_named(name), {"kube-apiserver"});
  writes_ = 0;
}

ApiAnswer ApiStore::refusal(int code, const std::string& reason, const std::string& message) {
  return {code, json::object{{"kind", "Status"},
                             {"apiVersion", "v1"},
                             {"status", "Failure"},
                             {"message", message},
                             {"reason", reason},
                             {"code", code}}};
}

const ServedKind* ApiStore::kind_of(const std::string& api_version, const std::string& kind) const {
  auto found = std::ranges::find_if(kinds_, [&](const ServedKind& one) {
    return one.kind == kind && one.api_version() == api_version;
  });
  return found == kinds_.end() ? nullptr : &*found;
}

const ServedKind* ApiStore::kind_at(const std::string& group, const std::string& version,
                                    const std::string& plural) const {
  auto found = std::ranges::find_if(kinds_, [&](const ServedKind& one) {
    return one.group == group && one.version == version && one.plural == plural;
  });
  return found == kinds_.end() ? nullptr : &*found;
}

std::string ApiStore::key_of(const ServedKind& kind, const std::string& name_space,
                             const std::string& name) const {
  return collection_of(kind) + "/" + (kind.namespaced ? name_space : "") + "/" + name;
}

std::optional<ApiAnswer> ApiStore::reason_to_refuse(const ServedKind* kind,
                                                    const kube::ObjectRef& ref) const {
  if (!kind) return refusal(404, "NotFound", "the server could not find the requested resource");
  if (ref.name.empty()) return refusal(422, "Invalid", "metadata.name: Required value");
  if (kind->namespaced && ref.name_space.empty())
    return refusal(400, "BadRequest", "the namespace of the object is missing");
  if (kind->namespaced && !objects_.contains("/namespaces//" + ref.name_space))
    return refusal(404, "NotFound", "namespaces \"" + ref.name_space + "\" not found");
  return std::nullopt;
}

ApiAnswer ApiStore::apply(const json::value& object, const ApplyRequest& request) {
  kube::ObjectRef ref = kube::ref_of(object);
  const ServedKind* kind = kind_of(ref.api_version, ref.kind);
  if (auto refused = reason_to_refuse(kind, ref)) return *refused;
  std::string key = key_of(*kind, ref.name_space, ref.name);
  auto live = objects_.find(key);
  Managed next = live == objects_.end() ? Managed{} : live->second;
  json::object wanted = object.as_object();
  wanted.erase("status");
  json::object& metadata = child_of(next.object, "metadata");
  metadata["name"] = ref.name;
  if (kind->namespaced) metadata["namespace"] = ref.name_space;
  auto clashes = apply_fields(next, wanted, request.manager, request.force);
  if (!clashes.empty()) {
    ApiAnswer conflict =
        refusal(409, "Conflict", "Apply failed with " + count_of(clashes.size(), "conflict"));
    json::array causes;
    for (const FieldClash& clash : clashes)
      causes.push_back(json::object{{"reason", "FieldManagerConflict"},
                                    {"message", "conflict with \"" + clash.manager + "\""},
                                    {"field", to_text(clash.field)}});
    conflict.body.get_object()["details"] = json::object{{"causes", std::move(causes)}};
    return conflict;
  }
  return store(*kind, key, std::move(next), request);
}

ApiAnswer ApiStore::patch(const kube::ObjectRef& ref, const json::value& patch,
                          const std::string& manager) {
  const ServedKind* kind = kind_of(ref.api_version, ref.kind);
  if (auto refused = reason_to_refuse(kind, ref)) return *refused;
  std::string key = key_of(*kind, ref.name_space, ref.name);
  auto live = objects_.find(key);
  if (live == objects_.end())
    return refusal(404, "NotFound", kind->plural + " \"" + ref.name + "\" not found");
  Managed next = live->second;
  patch_fields(next, patch.as_object(), manager);
  return store(*kind, key, std::move(next), {manager});
}

std::string ApiStore::now() const { return format_utc(clock_.wall_time()).substr(0, 19) + "Z"; }

ApiAnswer ApiStore::store(const ServedKind& kind, const std::string& key, Managed next,
                          const ApplyRequest& request) {
  auto live = objects_.find(key);
  bool is_new = live == objects_.end();
  bool changed = is_new || !kube::same_value(live->second.object, next.object) ||
                 live->second.owners != next.owners;
  if (!changed) return {200, shown_[key]};
  for (FieldOwner& owner : next.owners)
    if (owner.manager == request.manager) owner.time = now();
  json::object before_system = is_new ? json::object() : system_[key];
  Managed before = is_new ? Managed{} : live->second;
  json::object& system = system_[key];
  if (is_new) {
    std::string name = kube::text_at(next.object, {"metadata", "name"});
    bool first = kind.kind == "Namespace" && name == "kube-system";
    system["uid"] = first ? identity_ : identity_ + "-" + std::to_string(++uids_);
    system["creationTimestamp"] = now();
    system["generation"] = 1;
  } else if (!same_but_metadata(before.object, next.object)) {
    system["generation"] = kube::number_at(system, {"generation"}) + 1;
  }
  objects_[key] = std::move(next);
  if (request.dry_run) {
    ApiAnswer tried{200, show(kind, key)};
    if (is_new) {
      objects_.erase(key);
      system_.erase(key);
    } else {
      objects_[key] = std::move(before);
      system_[key] = std::move(before_system);
    }
    return tried;
  }
  ++writes_;
  system["resourceVersion"] = std::to_string(++version_);
  shown_[key] = show(kind, key);
  json::value result = shown_[key];
  if (kind.kind == "CustomResourceDefinition" && is_new) serve_definition(result);
  announce(is_new ? "ADDED" : "MODIFIED", kind, result);
  return {is_new ? 201 : 200, std::move(result)};
}

json::value ApiStore::show(const ServedKind& kind, const std::string& key) const {
  const Managed& managed = objects_.at(key);
  json::object object = managed.object;
  object["apiVersion"] = kind.api_version();
  object["kind"] = kind.kind;
  json::object& metadata = child_of(object, "metadata");
  for (const auto& [name, value] : system_.at(key))
    if (name != "status") metadata[name] = value;
  if (kind.kind == "Namespace") {
    std::string name = kube::text_at(object, {"metadata", "name"});
    child_of(metadata, "labels")["kubernetes.io/metadata.name"] = name;
    object["status"] = json::object{{"phase", "Active"}};
  }
  metadata["managedFields"] = managed_fields(managed.owners);
  if (const json::value* status = system_.at(key).if_contains("status")) object["status"] = *status;
  return object;
}

void ApiStore::compact() {
  oldest_ = version_;
  history_.clear();
}

void ApiStore::later(Duration after, std::function<void()> event) {
  std::weak_ptr<bool> alive = alive_;
  clock_.schedule(after, [alive, event = std::move(event)] {
    if (!alive.expired()) event();
  });
}

void ApiStore::announce(const std::string& type, const ServedKind& kind, json::value object) {
  history_.push_back({version_, type, collection_of(kind), std::move(object)});
  if (history_.size() > kHistory) {
    oldest_ = history_.front().version;
    history_.pop_front();
  }
  ApiEvent event = history_.back();
  for (const auto& listener : on_change) listener(event);
}

/// Established after a while, and served a while after that: discovery follows.
void ApiStore::serve_definition(const json::value& definition) {
  kube::ObjectRef ref = kube::ref_of(definition);
  std::string group = kube::text_at(definition, {"spec", "group"});
  std::string kind = kube::text_at(definition, {"spec", "names", "kind"});
  std::string plural = kube::text_at(definition, {"spec", "names", "plural"});
  bool namespaced = kube::text_at(definition, {"spec", "scope"}) == "Namespaced";
  std::vector<std::string> versions;
  if (const json::value* list = kube::find(definition, {"spec", "versions"}); list)
    for (const json::value& version : list->as_array())
      versions.push_back(kube::text_at(version, {"name"}));
  later(kEstablishing, [this, ref] {
    json::array conditions;
    for (const char* type : {"NamesAccepted", "Established"})
      conditions.push_back(json::object{{"type", type}, {"status", "True"}});
    set_status(ref, {{"conditions", std::move(conditions)}});
  });
  later(kEstablishing + kServing, [=, this] {
    for (const std::string& version : versions)
      kinds_.push_back({group, version, kind, plural, namespaced});
  });
}

void ApiStore::set_status(const kube::ObjectRef& ref, json::object status) {
  const ServedKind* kind = kind_of(ref.api_version, ref.kind);
  if (!kind) return;
  std::string key = key_of(*kind, ref.name_space, ref.name);
  if (!objects_.contains(key)) return;
  const json::value* before = system_[key].if_contains("status");
  if (before && kube::same_value(*before, status)) return;
  system_[key]["status"] = std::move(status);
  system_[key]["resourceVersion"] = std::to_string(++version_);
  shown_[key] = show(*kind, key);
  json::value object = shown_[key];
  announce("MODIFIED", *kind, std::move(object));
}

ApiAnswer ApiStore::remove(const kube::ObjectRef& ref) {
  const ServedKind* kind = kind_of(ref.api_version, ref.kind);
  if (auto refused = reason_to_refuse(kind, ref)) return *refused;
  std::string key = key_of(*kind, ref.name_space, ref.name);
  auto found = shown_.find(key);
  if (found == shown_.end())
    return refusal(404, "NotFound", kind->plural + " \"" + ref.name + "\" not found");
  json::value object = std::move(found->second);
  object.get_object()["metadata"].get_object()["resourceVersion"] = std::to_string(++version_);
  shown_.erase(key);
  objects_.erase(key);
  system_.erase(key);
  ++writes_;
  announce("DELETED", *kind, object);
  return {200, std::move(object)};
}

const json::value* ApiStore::find(const kube::ObjectRef& ref) const {
  const ServedKind* kind = kind_of(ref.api_version, ref.kind);
  if (!kind) return nullptr;
  auto found = shown_.find(key_of(*kind, ref.name_space, ref.name));
  return found == shown_.end() ? nullptr : &found->second;
}

std::vector<json::value> ApiStore::list(const ServedKind& kind,
                                        const std::string& name_space) const {
  std::string prefix = collection_of(kind) + "/";
  if (kind.namespaced && !name_space.empty()) prefix += name_space + "/";
  std::vector<json::value> found;
  for (auto at = shown_.lower_bound(prefix); at != shown_.end() && at->first.starts_with(prefix);
       ++at)
    found.push_back(at->second);
  return found;
}

}  // namespace blackstart::sim
