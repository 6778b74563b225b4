#include "orchestrator/kube/managed_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/system/system_error.hpp>
#include <optional>

#include "orchestrator/kube/json.h"
#include "orchestrator/kube/object.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

const json::value* owned_fields(const json::value& live, std::string_view manager,
                                const std::string& api_version) {
  for (const json::value& entry : list_at(live, {"metadata", "managedFields"})) {
    const bool ours = text_at(entry, {"manager"}) == manager &&
                      text_at(entry, {"operation"}) == "Apply" &&
                      text_at(entry, {"subresource"}).empty();
    if (ours && text_at(entry, {"apiVersion"}) == api_version) return find(entry, {"fieldsV1"});
  }
  return nullptr;
}

std::optional<json::value> parse_key(std::string_view key) {
  try {
    return parse_json(key.substr(2));
  } catch (const boost::system::system_error&) {
    return std::nullopt;
  }
}

// An item of a keyed list is meant when it has exactly the values of the key.
bool has_key(const json::value& item, const json::value& key) {
  if (!item.is_object() || !key.is_object()) return false;
  for (const auto& [name, value] : key.get_object()) {
    const json::value* found = item.get_object().if_contains(name);
    if (!found || !same_value(*found, value)) return false;
  }
  return true;
}

// The same of an item as we write it: a key that we once left out, so that the server gave it its
// default, is part of the key and yet none of our fields of the item; left out again it becomes the
// same.
bool has_key_or_default(const json::value& item, const json::value& key, const json::value& owned) {
  if (!item.is_object() || !key.is_object()) return false;
  const json::object* ours = owned.if_object();
  for (const auto& [name, value] : key.get_object()) {
    const json::value* found = item.get_object().if_contains(name);
    const bool defaulted = !found && ours && !ours->contains("f:" + std::string(name));
    if (!defaulted && !(found && same_value(*found, value))) return false;
  }
  return true;
}

// The position of the only item that matches; nullopt when none or several do.
template <class Matches>
std::optional<size_t> only_one(const json::array& items, Matches matches) {
  std::optional<size_t> found;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!matches(items[i])) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

// Walks what we want, what is there and what we own (fieldsV1: "f:NAME" a field, "k:{…}" an item of
// a keyed list, "v:…" an item of a set, "." the thing itself) side by side.
class Walk {
 public:
  explicit Walk(size_t limit) : limit_(limit) {}
  std::vector<std::string> take() { return std::move(fields_); }

  void value(const json::value& desired, const json::value& live, const json::value& owned,
             const std::string& path) {
    if (fields_.size() >= limit_) return;
    const json::object* children = owned.if_object();
    if (!children || children->empty() || (children->size() == 1 && children->contains("."))) {
      if (!same_value(desired, live)) differs(path);
    } else if (desired.is_object() && live.is_object()) {
      fields(desired.get_object(), live.get_object(), *children, path);
    } else if (desired.is_array() && live.is_array()) {
      items(desired.get_array(), live.get_array(), *children, path);
    } else {
      differs(path);
    }
  }

  void fields(const json::object& desired, const json::object& live, const json::object& owned,
              const std::string& path) {
    for (const auto& [name, wanted] : desired) {
      const std::string key = std::string(name);
      const json::value* mine = owned.if_contains("f:" + key);
      const json::value* there = live.if_contains(name);
      if (!mine || !there) {
        differs(path + '.' + key);
      } else {
        value(wanted, *there, *mine, path + '.' + key);
      }
    }
    for (const auto& [name, ignored] : owned) {  // what we applied once and no longer want
      const std::string_view key = name;
      if (key == ".") continue;
      const std::string_view field = key.substr(std::min<size_t>(2, key.size()));
      if (key.starts_with("f:") && desired.contains(field)) continue;
      std::string gone = path + '.';
      gone += field;
      differs(gone);
    }
  }

  void differs(const std::string& path) {
    if (fields_.size() < limit_) fields_.push_back(path.empty() ? std::string(".") : path);
  }

 private:
  void items(const json::array& desired, const json::array& live, const json::object& owned,
             const std::string& path) {
    std::vector<std::optional<size_t>> places(
        desired.size());  // of each wanted item among the live ones
    size_t matched = 0;
    for (const auto& [name, mine] : owned) {
      if (name == ".") continue;
      const auto place = item(desired, live, std::string(name), mine, path);
      if (!place || places[place->first]) return differs(path);
      places[place->first] = place->second;
      ++matched;
    }
    if (matched != desired.size()) return differs(path);
    for (size_t i = 1; i < places.size(); ++i) {  // applying would put them into our order
      if (*places[i] <= *places[i - 1]) return differs(path);
    }
  }

  std::optional<std::pair<size_t, size_t>> item(const json::array& desired, const json::array& live,
                                                const std::string& name, const json::value& mine,
                                                const std::string& path) {
    const auto key = parse_key(name);
    const bool keyed = name.starts_with("k:");
    if (!key || (!keyed && !name.starts_with("v:"))) return std::nullopt;
    const auto wanted = only_one(desired, [&](const json::value& one) {
      return keyed ? has_key_or_default(one, *key, mine) : same_value(one, *key);
    });
    const auto there = only_one(live, [&](const json::value& one) {
      return keyed ? has_key(one, *key) : same_value(one, *key);
    });
    if (!wanted || !there) return std::nullopt;
    if (keyed) value(desired[*wanted], live[*there], mine, path + '[' + name.substr(2) + ']');
    return std::pair(*wanted, *there);
  }

  size_t limit_;
  std::vector<std::string> fields_;
};

// What never is in fieldsV1: it names the object.
json::object without_identity(const json::object& object) {
  json::object rest = object;
  rest.erase("apiVersion");
  rest.erase("kind");
  if (json::value* metadata = rest.if_contains("metadata"); metadata && metadata->is_object()) {
    metadata->get_object().erase("name");
    metadata->get_object().erase("namespace");
    if (metadata->get_object().empty()) rest.erase("metadata");
  }
  return rest;
}

}  // namespace

std::vector<std::string> unproven_fields(const json::value& desired, const json::value& live,
                                         std::string_view field_manager, size_t limit) {
  Walk walk(limit);
  if (find(live, {"metadata", "deletionTimestamp"})) {
    walk.differs(".metadata.deletionTimestamp");
    return walk.take();
  }
  const json::value* owned = owned_fields(live, field_manager, text_at(desired, {"apiVersion"}));
  // Whoever applied nothing but a name has no entry: it owns nothing.
  const json::object nothing;
  const json::object& ours = owned && owned->is_object() ? owned->get_object() : nothing;
  if (!desired.is_object() || !live.is_object()) {
    walk.differs("");
  } else {
    walk.fields(without_identity(desired.get_object()), live.get_object(), ours, "");
  }
  return walk.take();
}

namespace {

void compare_values(const json::value& before, const json::value& after, const std::string& path,
                    size_t limit, std::vector<std::string>& found);

void compare_objects(const json::object& before, const json::object& after, const std::string& path,
                     size_t limit, std::vector<std::string>& found) {
  const auto only_one_has = [&](std::string_view name) {
    if (found.size() < limit) found.push_back(path + '.' + std::string(name));
  };
  for (const auto& [name, value] : before) {
    const json::value* other = after.if_contains(name);
    if (!other) {
      only_one_has(name);
    } else {
      compare_values(value, *other, path + '.' + std::string(name), limit, found);
    }
  }
  for (const auto& [name, value] : after) {
    if (!before.contains(name)) only_one_has(name);
  }
}

void compare_values(const json::value& before, const json::value& after, const std::string& path,
                    size_t limit, std::vector<std::string>& found) {
  if (found.size() >= limit || same_value(before, after)) return;
  if (before.is_object() && after.is_object()) {
    compare_objects(before.get_object(), after.get_object(), path, limit, found);
  } else if (before.is_array() && after.is_array() &&
             before.get_array().size() == after.get_array().size()) {
    for (size_t i = 0; i < before.get_array().size(); ++i) {
      compare_values(before.get_array()[i], after.get_array()[i],
                     path + '[' + std::to_string(i) + ']', limit, found);
    }
  } else {
    found.push_back(path.empty() ? std::string(".") : path);
  }
}

json::object comparable(const json::value& object, bool with_status) {
  json::object copy = object.is_object() ? object.get_object() : json::object();
  if (!with_status) copy.erase("status");
  json::value* metadata = copy.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return copy;
  metadata->get_object().erase("resourceVersion");
  metadata->get_object().erase("generation");
  json::value* managers = metadata->get_object().if_contains("managedFields");
  if (!managers || !managers->is_array()) return copy;
  json::array kept;
  for (json::value& entry : managers->get_array()) {
    // A controller may have written the status in between.
    if (!entry.is_object() || (!with_status && !text_at(entry, {"subresource"}).empty())) continue;
    entry.get_object().erase("time");
    kept.push_back(std::move(entry));
  }
  *managers = std::move(kept);
  return copy;
}

}  // namespace

std::vector<std::string> changed_fields(const json::value& before, const json::value& after,
                                        bool with_status, size_t limit) {
  // Ownership is looked at last, and as a whole: fieldsV1 means nothing to a reader.
  json::object old_object = comparable(before, with_status);
  json::object new_object = comparable(after, with_status);
  auto take_managers = [](json::object& object) {
    json::value* metadata = object.if_contains("metadata");
    json::value managers;
    if (metadata && metadata->is_object()) {
      if (json::value* found = metadata->get_object().if_contains("managedFields"))
        managers = std::move(*found);
      metadata->get_object().erase("managedFields");
    }
    return managers;
  };
  const json::value old_managers = take_managers(old_object);
  const json::value new_managers = take_managers(new_object);
  std::vector<std::string> found;
  compare_objects(old_object, new_object, "", limit, found);
  if (found.empty() && !same_value(old_managers, new_managers))
    found.push_back(".metadata.managedFields");
  return found;
}

}  // namespace blackstart::kube
