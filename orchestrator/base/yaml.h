// YAML as Kubernetes tools read it, with a place for every node and limits before anything
// explodes.
//
// libyaml scans and parses, as in kubectl (whose go-yaml is libyaml in Go); the meaning of scalars
// follows sigs.k8s.io/yaml (YAML 1.1, duplicate keys refused). kubectl's answer is the reference.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/base/error.h"

namespace blackstart::yaml {

struct Limits {
  size_t bytes = 1 << 20;    // of one file
  size_t depth = 64;         // nested collections
  size_t nodes = 200'000;    // after alias expansion, over all documents of a file
  bool expressions = false;  // ${{ … }} on one line is opaque text, in flow collections too
};
/// Manifests may be larger than plans: Argo CD's ApplicationSet CRD alone has 1.4 MB.
inline constexpr Limits kManifestLimits{32u << 20, 256, 4'000'000};

/// One YAML node; aliases are already expanded. A value type: owns its children.
struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  bool quoted = false;  // a quoted or block scalar, or tagged !!str: always a string
  int lead = -1;  // columns from `place` to the first character of `scalar` when the text stands
                  // in the file as it is, on one line (0 plain, 1 quoted); -1 otherwise
  Place place;
  std::string scalar;                          // kScalar: the text as written
  std::vector<Node> items;                     // kSequence
  std::vector<std::pair<Node, Node>> entries;  // kMapping, in file order, keys unique

  /// The value of a mapping's key, or null when it has none (or this is no mapping).
  const Node* find(std::string_view key) const;
  bool is_map() const { return kind == Kind::kMapping; }
  bool is_list() const { return kind == Kind::kSequence; }
};

/// Reads all documents of `text`; empty documents are kept as kNull nodes. Findings (syntax,
/// limits, duplicate keys, unknown aliases) go to `diagnostics` with their place; what could be
/// read before a syntax error is returned.
std::vector<Node> parse(std::string_view text, std::string_view file, const Limits& limits,
                        Diagnostics& diagnostics);

/// The typed value of one scalar node (null, bool, int64, uint64, double or string).
boost::json::value scalar_value(const Node& node);
/// A mapping's key as the JSON key that Kubernetes tools make of it ("true" for yes, "10" for 0xA).
std::string key_name(const Node& key);
/// The whole tree as JSON; non-string keys become strings as Kubernetes tools make them.
boost::json::value to_json(const Node& node);

}  // namespace blackstart::yaml
