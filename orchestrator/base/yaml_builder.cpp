#include "orchestrator/base/yaml_builder.h"

#include <algorithm>

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {

Place TreeBuilder::place_of(const YAML::Mark& mark) const {
  return {file_, mark.line + 1, mark.column + 1};
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

// yaml-cpp takes what follows a complete document without "---" as a new one.
void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  anchors_.clear();
  open_.clear();
  if (documents_.empty() || mark.pos < 0) return;
  std::string_view before = text_.substr(0, static_cast<size_t>(mark.pos));
  std::string_view rest = text_.substr(before.size());
  if (rest.starts_with("---") || rest.starts_with("%") || trim(rest).empty()) return;
  if (before.rfind("\n...") != std::string_view::npos) return;
  stop(place_of(mark), "this does not belong to the document above",
       "check the indentation and the brackets; a new document starts with ---");
}

// libyaml refuses tabs where indentation is decided; yaml-cpp counts them as one column.
void TreeBuilder::check_tab(const YAML::Mark& mark) {
  if (mark.pos <= 0 || static_cast<size_t>(mark.pos) > text_.size()) return;
  if (!open_.empty() && open_.back().flow) return;
  auto i = static_cast<size_t>(mark.pos);
  bool tab = false;
  for (; i > 0 && (text_[i - 1] == ' ' || text_[i - 1] == '\t'); --i)
    tab = tab || text_[i - 1] == '\t';
  if (!tab) return;
  bool decides = i == 0 || text_[i - 1] == '\n' || text_[i - 1] == '-' || text_[i - 1] == '?';
  if (decides) stop(place_of(mark), "a tab stands where YAML needs spaces", "indent with spaces");
}

void TreeBuilder::open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor, bool flow) {
  Place place = place_of(mark);
  check_tab(mark);
  if (open_.size() >= limits_.depth) {
    stop(place, "nested more than " + std::to_string(limits_.depth) + " deep",
         "flatten the structure");
  }
  charge(Size{}, place);
  Open entry;
  entry.node.kind = kind;
  entry.node.place = place;
  entry.anchor = anchor;
  entry.flow = flow;
  open_.push_back(std::move(entry));
}

void TreeBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  add(std::move(done.node), done.size, done.anchor);
}

void TreeBuilder::add(Node node, Size size, YAML::anchor_t anchor) {
  if (anchor != YAML::NullAnchor) {
    charge(size, node.place);  // the copy that aliases are made from
    anchors_[anchor] = {node, size};
  }
  if (open_.empty()) {
    documents_.push_back(std::move(node));
    return;
  }
  Open& parent = open_.back();
  parent.size.nodes += size.nodes;
  parent.size.text += size.text;
  parent.size.depth = std::max(parent.size.depth, size.depth + 1);
  if (parent.node.is_list()) {
    parent.node.items.push_back(std::move(node));
  } else if (!parent.has_key) {
    parent.key = std::move(node);
    parent.has_key = true;
  } else {
    parent.node.entries.emplace_back(std::move(parent.key), std::move(node));
    parent.has_key = false;
  }
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  Place place = place_of(mark);
  auto found = anchors_.find(anchor);
  if (found == anchors_.end()) stop(place, "the alias refers to a value that contains it");
  const Size& size = found->second.size;
  charge(size, place);
  copied_text_ += size.text;
  if (copied_text_ > limits_.bytes) {
    stop(place, "aliases expand to more than " + std::to_string(limits_.bytes) + " bytes",
         "use fewer aliases");
  }
  if (open_.size() + size.depth > limits_.depth) {
    stop(place, "nested more than " + std::to_string(limits_.depth) + " deep, aliases expanded");
  }
  add(found->second.node, size, YAML::NullAnchor);
}

// yaml-cpp takes a line without ':' inside a mapping as a key without value.
void TreeBuilder::check_colon(const Node& key, size_t key_end) {
  if (key_end == std::string_view::npos) return;
  size_t next = text_.find_first_not_of(" \t\r\n", key_end);
  if (next != std::string_view::npos && text_[next] == ':') return;
  stop(key.place, "'" + key.scalar + "' is no key: ':' is missing",
       "check the indentation, or add ': '");
}

// yaml-cpp takes nothing between two commas as null.
void TreeBuilder::check_comma(const YAML::Mark& mark) {
  if (mark.pos < 0 || static_cast<size_t>(mark.pos) >= text_.size()) return;
  if (text_[static_cast<size_t>(mark.pos)] == ',')
    stop(place_of(mark), "nothing stands before this comma");
}

// Where nothing is written yaml-cpp names the next token, which may be far below.
Place TreeBuilder::place_of_null(const YAML::Mark& mark) const {
  Place place = place_of(mark);
  if (open_.empty() || open_.back().flow || mark.pos <= 0) return place;
  const Open& parent = open_.back();
  if (parent.has_key) return parent.key.place.line < place.line ? parent.key.place : place;
  std::string_view before = text_.substr(0, static_cast<size_t>(mark.pos));
  size_t dash = before.find_last_not_of(" \t\r\n");
  if (!parent.node.is_list() || dash == std::string_view::npos || before[dash] != '-') return place;
  auto lines = std::count(before.begin() + static_cast<std::ptrdiff_t>(dash), before.end(), '\n');
  size_t start =
      before.rfind('\n', dash) == std::string_view::npos ? 0 : before.rfind('\n', dash) + 1;
  return {file_, place.line - static_cast<int>(lines), static_cast<int>(dash - start) + 1};
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  Node node;
  node.place = place_of_null(mark);
  if (!open_.empty()) {
    const Open& parent = open_.back();
    if (!parent.flow && parent.has_key) check_colon(parent.key, parent.key_end);
    if (parent.flow && !parent.has_key) check_comma(mark);
  }
  charge(Size{}, node.place);
  add(std::move(node), Size{}, anchor);
}

/// Does the scalar stand in the text just as it is? Then a place inside it is its place plus an
/// offset.
int TreeBuilder::lead_of(const YAML::Mark& mark, const std::string& value) const {
  if (mark.pos < 0 || value.find('\n') != std::string::npos) return -1;
  auto start = static_cast<size_t>(mark.pos);
  if (start >= text_.size()) return -1;
  int quote = text_[start] == '"' || text_[start] == '\'' ? 1 : 0;
  start += static_cast<size_t>(quote);
  return start <= text_.size() && text_.substr(start, value.size()) == value ? quote : -1;
}

// yaml-cpp takes the end of the file as the closing quote.
void TreeBuilder::check_quote(const YAML::Mark& mark) {
  if (mark.pos < 0 || static_cast<size_t>(mark.pos) >= text_.size()) return;
  auto start = static_cast<size_t>(mark.pos);
  while (start < text_.size() &&
         (text_[start] == '&' || text_[start] == '!')) {  // its anchor and tag
    start = text_.find_first_not_of(" \t\r\n", text_.find_first_of(" \t\r\n", start));
  }
  if (start >= text_.size()) return;
  char quote = text_[start];
  if (quote != '"' && quote != '\'') return;
  for (size_t i = start + 1; i < text_.size(); ++i) {
    if (text_[i] == '\\' && quote == '"') {
      ++i;
    } else if (text_[i] == quote) {
      bool doubled = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
      if (!doubled) return;
      ++i;
    }
  }
  stop(place_of(mark), "the quote that opens here is never closed");
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  Node node;
  node.kind = Node::Kind::kScalar;
  node.place = place_of(mark);
  check_tab(mark);
  if (tag != "?") check_quote(mark);
  node.lead = lead_of(mark, value);
  node.scalar = value;
  if (limits_.expressions) unmask_expressions(node.scalar);
  apply_tag(node, tag);
  Size size{1, node.scalar.size(), 0};
  charge(size, node.place);
  if (!open_.empty() && !open_.back().has_key) open_.back().key_end = key_end(mark, node);
  add(std::move(node), size, anchor);
}

/// Offset behind a key that stands in the text as it is; npos for others and for keys after "? ".
size_t TreeBuilder::key_end(const YAML::Mark& mark, const Node& key) const {
  if (key.lead < 0) return std::string_view::npos;
  auto start = static_cast<size_t>(mark.pos);
  size_t before =
      start == 0 ? std::string_view::npos : text_.find_last_not_of(" \t\r\n", start - 1);
  if (before != std::string_view::npos && text_[before] == '?') return std::string_view::npos;
  return start + key.scalar.size() + 2 * static_cast<size_t>(key.lead);
}

void TreeBuilder::apply_tag(Node& node, const std::string& tag) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  if (tag == "?") {
    if (plain_kind(node.scalar) == PlainKind::kNotFinite) {
      diagnostics_.error(node.place, "'" + node.scalar + "' is no number that Kubernetes can hold",
                         "put it in quotes if it is meant as text");
    }
    return;
  }
  std::string name = tag.starts_with(kCore) ? tag.substr(kCore.size()) : "";
  PlainKind kind = plain_kind(node.scalar);
  bool matches = (name == "bool" && kind == PlainKind::kBoolean) ||
                 (name == "int" && kind == PlainKind::kInteger) ||
                 (name == "float" && (kind == PlainKind::kInteger || kind == PlainKind::kFloat)) ||
                 (name == "null" && kind == PlainKind::kNull) ||
                 (name == "merge" && node.scalar == "<<");
  if (matches) return;
  if (name == "bool" || name == "int" || name == "float" || name == "null") {
    diagnostics_.error(node.place, "the value does not fit its tag !!" + name,
                       "remove the tag or correct the value");
  }
  node.quoted = true;  // quoted, !!str, !!timestamp and tags that Kubernetes tools do not know
  if (name != "binary") return;
  auto decoded = base64_decode(node.scalar);
  if (!decoded) diagnostics_.error(node.place, "the value tagged !!binary is not valid base64");
  node.scalar = decoded.value_or("");
  node.lead = -1;
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value style) {
  open(Node::Kind::kSequence, mark, anchor, style == YAML::EmitterStyle::Flow);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value style) {
  open(Node::Kind::kMapping, mark, anchor, style == YAML::EmitterStyle::Flow);
}

void TreeBuilder::OnMapEnd() {
  finish_mapping(open_.back().node, diagnostics_);
  close();
}

}  // namespace blackstart::yaml
