#include "orchestrator/base/yaml_builder.h"

#include <algorithm>

#include "orchestrator/base/text.h"
#include "orchestrator/base/utf8.h"

namespace blackstart::yaml {
namespace {

std::string text_of(const unsigned char* words) {
  return words == nullptr ? std::string() : reinterpret_cast<const char*>(words);
}

/// Columns from the scalar's place to its text: on one line, and as many characters as it has with
/// its quotes, it stands there as it is (every escape has more). With an anchor or a tag there are
/// more, too.
int lead_of(const yaml_event_t& event, std::string_view value) {
  yaml_scalar_style_t style = event.data.scalar.style;
  int quote = style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
  size_t written = event.end_mark.index - event.start_mark.index;
  bool in_line = event.start_mark.line == event.end_mark.line;
  return in_line && written == character_count(value) + 2 * static_cast<size_t>(quote) ? quote : -1;
}

}  // namespace

void TreeBuilder::take(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT: return start_document(event);
    case YAML_DOCUMENT_END_EVENT: ended_ = documents_.size(); return;
    case YAML_SCALAR_EVENT: return take_scalar(event);
    case YAML_ALIAS_EVENT: return take_alias(event);
    case YAML_SEQUENCE_START_EVENT:
      return open(Node::Kind::kSequence, event, event.data.sequence_start.anchor,
                  event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
    case YAML_MAPPING_START_EVENT:
      return open(Node::Kind::kMapping, event, event.data.mapping_start.anchor,
                  event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
    case YAML_SEQUENCE_END_EVENT: return close();
    case YAML_MAPPING_END_EVENT: finish_mapping(*open_.back().node, diagnostics_); return close();
    default: return;
  }
}

std::vector<Node> TreeBuilder::take_documents() {
  documents_.resize(ended_);
  return std::move(documents_);
}

void TreeBuilder::stop(Place place, std::string message, std::string hint) {
  diagnostics_.error(place, std::move(message), std::move(hint));
  throw LimitReached{};
}

void TreeBuilder::charge(const Size& size, Place place) {
  nodes_ += size.nodes;
  if (nodes_ > limits_.nodes) {
    stop(place, "more than " + std::to_string(limits_.nodes) + " values, aliases expanded",
         "split the file, or use fewer aliases");
  }
}

// libyaml takes YAML 1.2, too; go-yaml does not.
void TreeBuilder::start_document(const yaml_event_t& event) {
  anchors_.clear();
  const yaml_version_directive_t* version = event.data.document_start.version_directive;
  if (version != nullptr && version->minor != 1) {
    stop(place_of(event.start_mark, file_), "Kubernetes tools read YAML 1.1 and no other version",
         "remove the %YAML line");
  }
}

void TreeBuilder::open(Node::Kind kind, const yaml_event_t& event, const unsigned char* anchor,
                       bool flow) {
  Place place = place_of(event.start_mark, file_);
  if (open_.size() >= limits_.depth) {
    stop(place, "nested more than " + std::to_string(limits_.depth) + " deep",
         "flatten the structure");
  }
  charge(Size{}, place);
  Node& node = next_node();
  node.kind = kind;
  node.place = place;
  open_.push_back({&node, {}, text_of(anchor), flow});
  if (anchor != nullptr) anchors_[open_.back().anchor].reset();
}

void TreeBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  finish(*done.node, done.size, done.anchor);
}

/// Where the next node goes: the tree grows in place.
Node& TreeBuilder::next_node() {
  if (open_.empty()) return documents_.emplace_back();
  Open& parent = open_.back();
  if (parent.node->is_list()) return parent.node->items.emplace_back();
  parent.has_key = !parent.has_key;
  auto& entries = parent.node->entries;
  return parent.has_key ? entries.emplace_back().first : entries.back().second;
}

/// After a node's end.
void TreeBuilder::finish(const Node& node, const Size& size, const std::string& anchor) {
  if (!anchor.empty()) {
    charge(size, node.place);  // the copy that aliases are made from
    anchors_[anchor] = {node, size};
  }
  if (open_.empty()) return;
  Size& parent = open_.back().size;
  parent.nodes += size.nodes;
  parent.text += size.text;
  parent.depth = std::max(parent.depth, size.depth + 1);
}

void TreeBuilder::take_alias(const yaml_event_t& event) {
  Place place = place_of(event.start_mark, file_);
  std::string name = text_of(event.data.alias.anchor);
  auto found = anchors_.find(name);
  if (found == anchors_.end())
    stop(place, "there is no anchor '" + name + "'", "define it before with &" + name);
  if (!found->second) stop(place, "the alias refers to a value that contains it");
  const Size& size = found->second->size;
  charge(size, place);
  copied_text_ += size.text;
  if (copied_text_ > limits_.bytes) {
    stop(place, "aliases expand to more than " + std::to_string(limits_.bytes) + " bytes",
         "use fewer aliases");
  }
  if (open_.size() + size.depth > limits_.depth) {
    stop(place, "nested more than " + std::to_string(limits_.depth) + " deep, aliases expanded");
  }
  Node& node = next_node();
  node = found->second->node;
  finish(node, size, {});
}

void TreeBuilder::take_scalar(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  Node& node = next_node();
  node.place = place_of(event.start_mark, file_);
  node.scalar.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
  node.kind = Node::Kind::kScalar;
  node.lead = lead_of(event, node.scalar);
  bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (plain) check_plain(node);
  if (limits_.expressions) unmask_expressions(node.scalar);
  if (scalar.tag != nullptr) {
    apply_tag(node, text_of(scalar.tag));
  } else if (!plain) {
    node.quoted = true;
  } else {
    resolve_plain(node);
  }
  Size size{1, node.scalar.size(), 0};
  charge(size, node.place);
  finish(node, size, text_of(scalar.anchor));
}

void TreeBuilder::resolve_plain(Node& node) {
  PlainKind kind = plain_kind(node.scalar);
  if (kind == PlainKind::kNull) {
    node.kind = Node::Kind::kNull;
    node.scalar.clear();
  }
  if (kind == PlainKind::kNotFinite) {
    diagnostics_.error(node.place, "'" + node.scalar + "' is no number that Kubernetes can hold",
                       "put it in quotes if it is meant as text");
  }
}

// libyaml takes '?' inside a text in { } and [ ]; go-yaml does not.
void TreeBuilder::check_plain(const Node& node) {
  bool flow = !open_.empty() && open_.back().flow;
  if (!flow || node.scalar.find('?') == std::string::npos) return;
  stop(node.place, "a text with '?' in it needs quotes inside { } and [ ]", "put it in quotes");
}

void TreeBuilder::apply_tag(Node& node, std::string_view tag) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  std::string_view name = tag.starts_with(kCore) ? tag.substr(kCore.size()) : "";
  PlainKind kind = plain_kind(node.scalar);
  bool matches = (name == "bool" && kind == PlainKind::kBoolean) ||
                 (name == "int" && kind == PlainKind::kInteger) ||
                 (name == "float" && (kind == PlainKind::kInteger || kind == PlainKind::kFloat)) ||
                 (name == "null" && kind == PlainKind::kNull) ||
                 (name == "merge" && node.scalar == "<<");
  if (matches) return;
  if (name == "bool" || name == "int" || name == "float" || name == "null") {
    diagnostics_.error(node.place, "the value does not fit its tag !!" + std::string(name),
                       "remove the tag or correct the value");
  }
  node.quoted = true;  // !!str, !!timestamp and tags that Kubernetes tools do not know
  if (name != "binary") return;
  auto decoded = base64_decode(node.scalar);
  if (!decoded) diagnostics_.error(node.place, "the value tagged !!binary is not valid base64");
  node.scalar = decoded.value_or("");
  node.lead = -1;
}

}  // namespace blackstart::yaml
