// Turns yaml-cpp's events into nodes, within limits. Internal to the YAML reader.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "orchestrator/base/yaml.h"

namespace blackstart::yaml {

/// Thrown out of yaml-cpp's recursion when a limit is reached; the finding has been reported.
struct LimitReached {};

class TreeBuilder : public YAML::EventHandler {
 public:
  /// `text` is what yaml-cpp reads, and outlives the builder.
  TreeBuilder(std::string_view text, const std::string* file, const Limits& limits,
              Diagnostics& diagnostics)
      : text_(text), file_(file), limits_(limits), diagnostics_(diagnostics) {}

  std::vector<Node> take_documents() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;

 private:
  struct Size {  // of a whole subtree
    size_t nodes = 1;
    size_t text = 0;
    size_t depth = 0;
  };
  struct Open {  // a collection whose end has not come
    Node node;
    Size size;
    YAML::anchor_t anchor;
    bool flow;
    bool has_key = false;
    Node key;
    size_t key_end = std::string_view::npos;  // offset behind the key, where ':' must follow
  };
  struct Anchored {
    Node node;
    Size size;
  };

  Place place_of(const YAML::Mark& mark) const;
  Place place_of_null(const YAML::Mark& mark) const;
  [[noreturn]] void stop(Place place, std::string message, std::string hint = {});
  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor, bool flow);
  void close();
  void add(Node node, Size size, YAML::anchor_t anchor);
  void charge(const Size& size, Place place);
  void check_tab(const YAML::Mark& mark);
  void check_colon(const Node& key, size_t key_end);
  void check_quote(const YAML::Mark& mark);
  void check_comma(const YAML::Mark& mark);
  size_t key_end(const YAML::Mark& mark, const Node& key) const;
  int lead_of(const YAML::Mark& mark, const std::string& value) const;
  void apply_tag(Node& node, const std::string& tag);

  std::string_view text_;
  const std::string* file_;
  const Limits& limits_;
  Diagnostics& diagnostics_;
  std::vector<Node> documents_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  size_t copied_text_ = 0;
};

/// Ends a mapping: merges what `<<` names and reports duplicate and impossible keys.
void finish_mapping(Node& map, Diagnostics& diagnostics);

}  // namespace blackstart::yaml
