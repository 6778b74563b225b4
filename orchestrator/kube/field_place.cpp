#include "orchestrator/kube/field_place.h"

#include <algorithm>

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"

namespace blackstart::kube {
namespace {

using yaml::Node;

/// The mapping that begins at `place`; null when there is none.
const Node* mapping_at(const Node& node, const Place& place) {
  if (node.is_map() && node.place == place) return &node;
  for (const Node& item : node.items)
    if (const Node* found = mapping_at(item, place)) return found;
  for (const auto& [key, value] : node.entries)
    if (const Node* found = mapping_at(value, place)) return found;
  return nullptr;
}

bool ends_a_name(std::string_view rest) { return rest.empty() || rest[0] == '.' || rest[0] == '['; }

/// Keys may have dots: the longest that the path begins with is meant.
const std::pair<Node, Node>* entry_of(const Node& map, std::string_view path) {
  const std::pair<Node, Node>* longest = nullptr;
  size_t length = 0;
  for (const auto& entry : map.entries) {
    const std::string key = yaml::key_name(entry.first);
    if (key.size() < length || !path.starts_with(key) || !ends_a_name(path.substr(key.size())))
      continue;
    longest = &entry;
    length = key.size();
  }
  return longest;
}

/// Of a list's items that which `selector` means: "0", or by its keys "name=\"a\",port=80".
const Node* item_of(const Node& list, std::string_view selector) {
  const size_t equals = selector.find('=');
  if (equals == std::string_view::npos) {
    size_t index = 0;
    for (const char digit : selector) {
      if (digit < '0' || digit > '9' || index > list.items.size()) return nullptr;
      index = index * 10 + static_cast<size_t>(digit - '0');
    }
    return !selector.empty() && index < list.items.size() ? &list.items[index] : nullptr;
  }
  for (const Node& item : list.items) {
    bool same = true;
    for (const std::string& term : split(selector, ',')) {
      const size_t at = std::min(term.find('='), term.size() - 1);
      const Node* value = item.find(std::string_view(term).substr(0, at));
      std::string wanted = term.substr(at + 1);
      std::erase(wanted, '"');
      same = same && (value ? value->scalar == wanted : at != 0);  // a default is not written
    }
    if (same) return &item;
  }
  return nullptr;
}

/// As far as `path` can be followed from `root`; an unknown place when not even its first name is
/// there.
Place follow(const Node& root, std::string_view path) {
  const Node* here = &root;
  Place place;
  while (!path.empty()) {
    if (path[0] == '.') path.remove_prefix(1);
    if (path.starts_with('[')) {
      const size_t end = std::min(path.find(']'), path.size());
      std::string_view inside = path.substr(1, end - 1);
      path.remove_prefix(std::min(end + 1, path.size()));
      if (here->is_list()) {
        here = item_of(*here, inside);
        if (!here) return place;
        place = here->place;
        continue;
      }
      if (inside.starts_with('"')) inside = inside.substr(1, inside.size() - 2);
      const Node* value = here->find(inside);
      return value ? value->place : place;
    }
    const auto* entry = entry_of(*here, path);
    if (!entry) return place;
    path.remove_prefix(yaml::key_name(entry->first).size());
    place = entry->first.place;
    here = &entry->second;
  }
  return place;
}

bool is_of_a_path(char c) {
  return isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("._-/").find(c) != std::string_view::npos;
}

/// The path that `text` begins with; what stands in [ ] may be anything.
std::string_view path_at(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && (is_of_a_path(text[end]) || (text[end] == '[' && end > 0))) {
    if (text[end] == '[') end = std::min(text.find(']', end), text.size() - 1);
    ++end;
  }
  return text.substr(0, end);
}

/// Go's decoder says "Go struct field ObjectMeta.metadata.labels": its type stands first.
std::string_view without_type(std::string_view path) {
  const size_t dot = path.find('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : path.substr(dot + 1);
}

/// The first in `message` that can be found below `root`.
Place first_named(const Node& root, std::string_view message) {
  constexpr std::string_view kUnknownField = "unknown field \"";
  constexpr std::string_view kStructField = "Go struct field ";
  for (size_t i = 0; i < message.size();) {
    const std::string_view before = message.substr(0, i);
    const std::string_view path = path_at(message.substr(i));
    const bool quoted = before.ends_with(kUnknownField);
    const bool typed = before.ends_with(kStructField);
    const bool begins =
        i == 0 || before.ends_with(' ') || before.ends_with('[') || before.ends_with('\n');
    const bool ends = message.substr(i + path.size()).starts_with(':');
    if (typed || quoted || (begins && ends)) {
      const Place found = follow(root, typed ? without_type(path) : path);
      if (found.known()) return found;
    }
    i += std::max<size_t>(path.size(), 1);
  }
  return {};
}

}  // namespace

Place place_of_field(const Files& files, const Manifest& manifest, std::string_view message) {
  const Place& place = manifest.place;
  if (!place.known() || !place.file->starts_with('/') || files.kind(*place.file) != FileKind::kFile)
    return place;
  yaml::Limits limits = yaml::kManifestLimits;
  limits.expressions = true;  // it may be the plan, and elsewhere they move nothing
  Diagnostics unused;
  const std::string text = files.read(*place.file, limits.bytes);
  for (const Node& document : yaml::parse(text, *place.file, limits, unused)) {
    const Node* root = mapping_at(document, place);
    if (!root) continue;
    const Place found = first_named(*root, message);
    return found.known() ? found : place;
  }
  return place;
}

}  // namespace blackstart::kube
