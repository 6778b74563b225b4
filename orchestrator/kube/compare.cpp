#include <boost/json/object.hpp>

#include "orchestrator/kube/apply.h"
#include "orchestrator/kube/managed_fields.h"
#include "orchestrator/world/async.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kConcurrency = 16;
constexpr size_t kFieldsNamed = 5;
constexpr int kLooks = 4;
constexpr size_t kListFrom = 3;  // so many objects of a kind and namespace are cheaper as one LIST

// Everything that the concurrent reads share; outlives them, as they are joined before it goes.
struct Comparison {
  Client& client;
  const Manifests& wanted;
  std::string field_manager;
  std::vector<ObjectState> states;
};

std::string version_of(const json::value& object) {
  return text_at(object, {"metadata", "resourceVersion"});
}

struct Group {
  std::string api_version, kind, name_space;
  std::vector<size_t> members;
};

std::vector<Group> groups_of(const Manifests& manifests) {
  std::map<std::tuple<std::string, std::string, std::string>, Group> groups;
  for (size_t i = 0; i < manifests.size(); ++i) {
    const ObjectRef ref = manifests[i].ref();
    Group& group = groups[{ref.api_version, ref.kind, ref.name_space}];
    group.api_version = ref.api_version;
    group.kind = ref.kind;
    group.name_space = ref.name_space;
    group.members.push_back(i);
  }
  std::vector<Group> result;
  for (auto& [key, group] : groups) result.push_back(std::move(group));
  return result;
}

Task<void> read_one(Comparison& comparison, size_t index) {
  ObjectState& state = comparison.states[index];
  auto live = co_await comparison.client.get(state.ref);
  if (live) state.live = std::move(*live);
}

Task<void> read_group(Comparison& comparison, Group group) {
  auto list = co_await comparison.client.list(group.api_version, group.kind, group.name_space);
  if (!list) co_return;
  std::map<std::string, json::value*> by_name;
  for (json::value& item : list->items) by_name[text_at(item, {"metadata", "name"})] = &item;
  for (const size_t index : group.members) {
    const auto found = by_name.find(comparison.states[index].ref.name);
    if (found != by_name.end()) comparison.states[index].live = std::move(*found->second);
  }
}

// Not taken (immutable field, webhook without dry run, no permission), or not yet (a webhook whose
// repair may be among the rest): applying will say why.
bool is_refusal(const ApiError& error) {
  switch (error.error_class()) {
    case ErrorClass::kPermanent:
    case ErrorClass::kConflict: return true;
    case ErrorClass::kNotReady: return error.status() != 0;
    case ErrorClass::kAuthentication: return error.status() == 403;
    default: return false;
  }
}

// What the server would make of it, null when it refuses; why is noted.
Task<json::value> dry_run(Comparison& comparison, size_t index, bool force) {
  const Client::ApplyOptions options(comparison.field_manager, force, true);
  comparison.states[index].refusal.reset();
  try {
    co_return co_await comparison.client.apply(comparison.wanted[index].object, options);
  } catch (const ApiError& error) {
    if (!is_refusal(error)) throw;
    comparison.states[index].refusal = error;
  }
  co_return json::value();
}

// A conflict is noted and shown as the change that it stands for.
Task<json::value> dry_run(Comparison& comparison, size_t index) {
  std::optional<ApiError>& refusal = comparison.states[index].refusal;
  json::value result = co_await dry_run(comparison, index, false);
  if (!refusal || refusal->conflicts().empty()) co_return result;
  const ApiError conflict = *refusal;
  json::value forced = co_await dry_run(comparison, index, true);
  if (!refusal) refusal = conflict;
  co_return forced;
}

// Only readings of one version can be compared: others may write between the two.
Task<void> try_on_server(Comparison& comparison, size_t index) {
  ObjectState& state = comparison.states[index];
  json::value result = co_await dry_run(comparison, index);
  for (int look = 0; look < kLooks && !result.is_null(); ++look) {
    if (version_of(result) == version_of(state.live)) break;
    auto live = co_await comparison.client.get(state.ref);
    state.live = live ? std::move(*live) : json::value();
    if (!live || version_of(result) == version_of(state.live)) break;
    result = co_await dry_run(comparison, index);
  }
  if (state.live.is_null()) state.presence = Presence::kAbsent;
  if (result.is_null() || state.live.is_null()) co_return;
  const bool with_status = find(comparison.wanted[index].object, {"status"}) != nullptr;
  state.fields = changed_fields(state.live, result, with_status, kFieldsNamed);
  if (state.fields.empty()) state.presence = Presence::kSame;
}

std::vector<std::function<Task<void>()>> reads(Comparison& comparison) {
  std::vector<std::function<Task<void>()>> tasks;
  for (Group& group : groups_of(comparison.wanted)) {
    if (group.members.size() >= kListFrom) {
      tasks.push_back([&comparison, group] { return read_group(comparison, group); });
      continue;
    }
    for (const size_t index : group.members) {
      tasks.push_back([&comparison, index] { return read_one(comparison, index); });
    }
  }
  return tasks;
}

// Settles what can be settled here; returns what the server must be asked for.
std::vector<std::function<Task<void>()>> judge(Comparison& comparison) {
  std::vector<std::function<Task<void>()>> doubtful;
  for (size_t i = 0; i < comparison.states.size(); ++i) {
    ObjectState& state = comparison.states[i];
    if (state.live.is_null()) continue;
    state.fields = unproven_fields(desired_form(comparison.wanted[i].object), state.live,
                                   comparison.field_manager, kFieldsNamed);
    state.presence = state.fields.empty() ? Presence::kSame : Presence::kDiffers;
    const bool going = find(state.live, {"metadata", "deletionTimestamp"}) != nullptr;
    if (state.presence == Presence::kDiffers && !going)
      doubtful.push_back([&comparison, i] { return try_on_server(comparison, i); });
  }
  return doubtful;
}

}  // namespace

Task<std::vector<ObjectState>> compare(Client& client, const Manifests& manifests,
                                       std::string default_namespace, std::string field_manager) {
  const Manifests wanted = co_await with_namespace(client, manifests, default_namespace);
  Comparison comparison{client, wanted, std::move(field_manager), {}};
  for (const Manifest& manifest : wanted) {
    comparison.states.push_back({manifest.ref(), Presence::kAbsent, {}, nullptr, std::nullopt});
  }
  const Executor executor = client.world().executor;
  co_await run_all(executor, reads(comparison), kConcurrency);
  co_await run_all(executor, judge(comparison), kConcurrency);
  co_return std::move(comparison.states);
}

namespace {

using Scopes = std::map<std::pair<std::string, std::string>, bool>;  // (group, kind) -> namespaced

Scopes scopes_of_definitions(const Manifests& manifests) {
  Scopes scopes;
  for (const Manifest& manifest : manifests) {
    if (manifest.ref().kind != "CustomResourceDefinition") continue;
    const json::value& object = manifest.object;
    scopes[{text_at(object, {"spec", "group"}), text_at(object, {"spec", "names", "kind"})}] =
        text_at(object, {"spec", "scope"}) == "Namespaced";
  }
  return scopes;
}

Task<std::optional<bool>> is_namespaced(Client& client, ObjectRef ref, const Scopes& scopes) {
  const auto brought = scopes.find({ref.group(), ref.kind});
  if (brought != scopes.end()) co_return brought->second;
  auto resource = co_await client.resource(ref.api_version, ref.kind);
  if (!resource) co_return std::nullopt;
  co_return resource->namespaced;
}

}  // namespace

Task<Manifests> with_namespace(Client& client, Manifests manifests, std::string name_space) {
  const Scopes scopes = scopes_of_definitions(manifests);
  std::map<std::pair<std::string, std::string>, std::optional<bool>>
      known;  // each kind asked for once
  for (Manifest& manifest : manifests) {
    const ObjectRef ref = manifest.ref();
    const std::pair key(ref.api_version, ref.kind);
    if (!known.contains(key)) {
      const std::optional<bool> namespaced = co_await is_namespaced(client, ref, scopes);
      known[key] = namespaced;
    }
    const std::optional<bool> namespaced = known[key];
    json::value* metadata = manifest.object.as_object().if_contains("metadata");
    if (!namespaced || !metadata || !metadata->is_object()) continue;
    if (!*namespaced) metadata->get_object().erase("namespace");
    if (*namespaced && ref.name_space.empty()) metadata->get_object()["namespace"] = name_space;
  }
  co_return manifests;
}

}  // namespace blackstart::kube
