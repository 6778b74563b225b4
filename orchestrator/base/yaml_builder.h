// Turns libyaml's events into nodes, within limits. Internal to the YAML reader.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/yaml_events.h"
#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {

/// Thrown when a limit is reached; the finding has been reported.
struct LimitReached {};

class TreeBuilder {
 public:
  TreeBuilder(const std::string* file, const Limits& limits, Diagnostics& diagnostics)
      : file_(file), limits_(limits), diagnostics_(diagnostics) {}

  void take(const yaml_event_t& event);
  /// Those that were read to their end.
  std::vector<Node> take_documents();

 private:
  struct Size {  // of a whole subtree
    size_t nodes = 1;
    size_t text = 0;
    size_t depth = 0;
  };
  struct Open {  // a collection whose end has not come
    Node* node;  // in its parent, which gets no other children until then
    Size size;
    std::string anchor;
    bool flow;
    bool has_key = false;  // of a mapping: its last entry lacks its value
  };
  struct Anchored {
    Node node;
    Size size;
  };

  [[noreturn]] void stop(Place place, std::string message, std::string hint = {});
  void start_document(const yaml_event_t& event);
  void take_scalar(const yaml_event_t& event);
  void take_alias(const yaml_event_t& event);
  void open(Node::Kind kind, const yaml_event_t& event, const unsigned char* anchor, bool flow);
  void close();
  Node& next_node();
  void finish(const Node& node, const Size& size, const std::string& anchor);
  void charge(const Size& size, Place place);
  void check_plain(const Node& node);
  void resolve_plain(Node& node);
  void apply_tag(Node& node, std::string_view tag);

  const std::string* file_;
  const Limits& limits_;
  Diagnostics& diagnostics_;
  std::vector<Node> documents_;
  size_t ended_ = 0;  // of documents_
  std::vector<Open> open_;
  std::map<std::string, std::optional<Anchored>, std::less<>> anchors_;  // nullopt: still open
  size_t nodes_ = 0;
  size_t copied_text_ = 0;
};

}  // namespace blackstart::yaml
