// What ends a mapping: unique keys and merge keys.
#include <algorithm>
#include <unordered_map>

#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {
namespace {

using Entries = std::vector<std::pair<Node, Node>>;

bool is_merge(const Node& key) {
  return key.kind == Node::Kind::kScalar && !key.quoted && key.scalar == "<<";
}

/// One mapping while it is put together: where each key stands, and whether it was written here.
class Merger {
 public:
  explicit Merger(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void add_written(Node key, Node value) {
    auto text = key_text(key);
    if (!text) {
      diagnostics_.error(key.place,
                         key.kind == Node::Kind::kMapping || key.kind == Node::Kind::kSequence
                             ? "a list or map cannot be a key"
                             : "null cannot be a key",
                         "a text that starts with { or [ needs quotes");
      return;
    }
    auto [found, added] = index_.try_emplace(*text, Slot{entries_.size(), true});
    if (added) {
      entries_.emplace_back(std::move(key), std::move(value));
      return;
    }
    if (found->second.written) {
      Place first = entries_[found->second.position].first.place;
      diagnostics_.error(key.place,
                         "duplicate key '" + shown(*text) + "', first at " + first.to_string(), "",
                         first);
      return;
    }
    found->second.written = true;
    entries_[found->second.position] = {std::move(key), std::move(value)};
  }

  // As go-yaml v2 does: what is merged in replaces what was written before it.
  void merge(Node value) {
    if (value.is_map()) return merge_map(std::move(value));
    bool all_maps = value.is_list();
    for (const Node& item : value.items) all_maps = all_maps && item.is_map();
    if (!all_maps) {
      diagnostics_.error(value.place, "<< merges a map or a list of maps");
      return;
    }
    // Backwards: earlier ones take precedence.
    for (size_t i = value.items.size(); i > 0; --i) merge_map(std::move(value.items[i - 1]));
  }

  Entries take() { return std::move(entries_); }

 private:
  struct Slot {
    size_t position;
    bool written;
  };

  static std::string shown(std::string text) {
    constexpr size_t kShown = 80;
    if (text.size() > kShown) text.replace(kShown, std::string::npos, "...");
    return text;
  }

  void merge_map(Node map) {
    for (auto& [key, value] : map.entries) {
      auto text = key_text(key);
      if (!text) continue;  // reported where the map was written
      auto [found, added] = index_.try_emplace(*text, Slot{entries_.size(), false});
      if (added) {
        entries_.emplace_back(std::move(key), std::move(value));
      } else {
        entries_[found->second.position].second = std::move(value);
      }
    }
  }

  Diagnostics& diagnostics_;
  Entries entries_;
  std::unordered_map<std::string, Slot> index_;
};

bool has_plain_unique_keys(const Node& map) {
  std::vector<std::string> names;
  names.reserve(map.entries.size());
  for (const auto& [key, value] : map.entries) {
    auto name = key_text(key);
    if (!name || is_merge(key)) return false;
    names.push_back(std::move(*name));
  }
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) == names.end();
}

}  // namespace

void finish_mapping(Node& map, Diagnostics& diagnostics) {
  if (has_plain_unique_keys(map)) return;  // nearly every one: nothing is to be put together
  Merger merger(diagnostics);
  for (auto& [key, value] : map.entries) {
    if (is_merge(key)) {
      merger.merge(std::move(value));
    } else {
      merger.add_written(std::move(key), std::move(value));
    }
  }
  map.entries = merger.take();
}

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.scalar == key && name.kind == Kind::kScalar) return &value;
  }
  return nullptr;
}

}  // namespace blackstart::yaml
