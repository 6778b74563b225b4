#include "tests/simulation/outside/managed.h"

#include <algorithm>

#include "orchestrator/kube/json.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

/// What names the object belongs to nobody.
bool is_identity(const FieldPath& path) {
  static const std::set<FieldPath> kNone = {
      {"apiVersion"}, {"kind"}, {"metadata", "name"}, {"metadata", "namespace"}};
  return kNone.contains(path);
}

void collect_leaves(const json::value& value, FieldPath& path, std::set<FieldPath>& leaves) {
  const json::object* map = value.if_object();
  if (!map || map->empty()) {
    if (!path.empty() && !is_identity(path)) leaves.insert(path);
    return;
  }
  for (const auto& [key, child] : *map) {
    path.emplace_back(key);
    collect_leaves(child, path, leaves);
    path.pop_back();
  }
}

std::set<FieldPath> leaves_of(const json::object& object) {
  std::set<FieldPath> leaves;
  FieldPath path;
  for (const auto& [key, child] : object) {
    path = {std::string(key)};
    collect_leaves(child, path, leaves);
  }
  return leaves;
}

const json::value* value_at(const json::object& object, const FieldPath& path) {
  const json::object* map = &object;
  const json::value* found = nullptr;
  for (const std::string& key : path) {
    if (!map) return nullptr;
    found = map->if_contains(key);
    if (!found) return nullptr;
    map = found->if_object();
  }
  return found;
}

void set_at(json::object& object, const FieldPath& path, const json::value& value) {
  json::object* map = &object;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    json::value& child = (*map)[path[i]];
    if (!child.is_object()) child = json::object();
    map = &child.get_object();
  }
  (*map)[path.back()] = value;
}

void remove_at(json::object& object, const FieldPath& path, size_t depth = 0) {
  json::value* child = object.if_contains(path[depth]);
  if (!child) return;
  if (depth + 1 == path.size()) {
    object.erase(path[depth]);
    return;
  }
  if (!child->is_object()) return;
  remove_at(child->get_object(), path, depth + 1);
  if (child->get_object().empty()) object.erase(path[depth]);
}

FieldOwner& owner_of(Managed& target, const std::string& manager, const std::string& operation) {
  for (FieldOwner& owner : target.owners)
    if (owner.manager == manager && owner.operation == operation) return owner;
  const json::value* version = target.object.if_contains("apiVersion");
  std::string api_version = version ? std::string(version->as_string()) : std::string();
  target.owners.push_back({manager, operation, api_version, {}, {}});
  return target.owners.back();
}

bool same(const json::value* live, const json::value& wanted) {
  return live && kube::same_value(*live, wanted);
}

void disown(Managed& target, const FieldPath& field, const std::string& but) {
  for (FieldOwner& owner : target.owners)
    if (owner.manager != but) owner.fields.erase(field);
}

bool owned_by_another(const Managed& target, const FieldPath& field, const std::string& manager) {
  return std::ranges::any_of(target.owners, [&](const FieldOwner& owner) {
    return owner.manager != manager && owner.fields.contains(field);
  });
}

void drop_empty(Managed& target) {
  std::erase_if(target.owners, [](const FieldOwner& owner) { return owner.fields.empty(); });
}

}  // namespace

std::vector<FieldClash> apply_fields(Managed& target, const json::object& applied,
                                     const std::string& manager, bool force) {
  std::set<FieldPath> wanted = leaves_of(applied);
  std::vector<FieldClash> clashes;
  for (const FieldPath& field : wanted) {
    if (same(value_at(target.object, field), *value_at(applied, field))) continue;
    for (const FieldOwner& owner : target.owners)
      if (owner.manager != manager && owner.fields.contains(field))
        clashes.push_back({owner.manager, field});
  }
  if (!clashes.empty() && !force) return clashes;
  for (const char* key : {"apiVersion", "kind"})
    if (const json::value* value = applied.if_contains(key)) target.object[key] = *value;
  std::set<FieldPath> before = owner_of(target, manager, "Apply").fields;
  for (const FieldPath& field : before)
    if (!wanted.contains(field) && !owned_by_another(target, field, manager))
      remove_at(target.object, field);
  for (const FieldPath& field : wanted) {
    if (same(value_at(target.object, field), *value_at(applied, field))) continue;
    disown(target, field, manager);
    set_at(target.object, field, *value_at(applied, field));
  }
  owner_of(target, manager, "Apply").fields = std::move(wanted);
  drop_empty(target);
  return {};
}

void patch_fields(Managed& target, const json::object& patch, const std::string& manager) {
  FieldOwner mine = owner_of(target, manager, "Update");
  for (const FieldPath& field : leaves_of(patch)) {
    const json::value& value = *value_at(patch, field);
    if (same(value_at(target.object, field), value)) continue;
    disown(target, field, "");
    if (value.is_null()) {
      remove_at(target.object, field);
      mine.fields.erase(field);
    } else {
      set_at(target.object, field, value);
      mine.fields.insert(field);
    }
  }
  owner_of(target, manager, "Update").fields = std::move(mine.fields);
  drop_empty(target);
}

json::array managed_fields(const std::vector<FieldOwner>& owners) {
  json::array entries;
  for (const FieldOwner& owner : owners) {
    json::object fields;
    for (const FieldPath& path : owner.fields) {
      json::object* map = &fields;
      for (const std::string& key : path) {
        json::value& child = (*map)["f:" + key];
        if (!child.is_object()) child = json::object();
        map = &child.get_object();
      }
    }
    entries.push_back(json::object{{"manager", owner.manager},
                                   {"operation", owner.operation},
                                   {"apiVersion", owner.api_version},
                                   {"time", owner.time},
                                   {"fieldsType", "FieldsV1"},
                                   {"fieldsV1", std::move(fields)}});
  }
  return entries;
}

std::string to_text(const FieldPath& path) {
  std::string text;
  for (const std::string& key : path) text += "." + key;
  return text;
}

}  // namespace blackstart::sim
