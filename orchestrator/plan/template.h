// Scalars with ${{ … }} in them: found, parsed and replaced.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/yaml.h"
#include "orchestrator/plan/expression.h"

namespace blackstart::plan {

/// A scalar as a row of pieces: literal text and expressions.
struct Template {
  struct Piece {
    std::string text;  // when there is no expression
    std::optional<Expression> expression;
  };
  std::vector<Piece> pieces;

  /// Exactly one ${{ }} and nothing around it: the value keeps its type.
  bool is_exact() const { return pieces.size() == 1 && pieces.front().expression.has_value(); }
};

bool has_expression(const yaml::Node& scalar);

/// Throws Error(kUsage) at the first mistake.
Template parse_template(const yaml::Node& scalar);

TextPlace text_place(const yaml::Node& scalar);

/// Replaces every ${{ }} below `node`. Each mistake becomes a finding; the value there is then an
/// unknown one of no stage, so that nothing else is said about it.
Value resolve_node(const yaml::Node& node, const Scope& scope, Diagnostics& diagnostics);

/// The node as a value, with ${{ }} left alone, `levels` collections deep: deeper ones come out
/// empty.
Value outline(const yaml::Node& node, int levels);

/// A value that stands for one that could not be read.
Value unreadable(Place place);

/// Calls `visit` for every path with a name (variable or output) in any expression below `node`.
/// Expressions with mistakes are passed over: resolve_node reports them.
using ReferenceVisitor = std::function<void(const Expression&)>;
void visit_references(const yaml::Node& node, const ReferenceVisitor& visit);
void visit_references(const Expression& expression, const ReferenceVisitor& visit);

}  // namespace blackstart::plan
