#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

/// Offset of the "}}" that ends the expression starting at `start`; npos when it is not closed.
size_t find_close(std::string_view text, size_t start) {
  bool in_text = false;
  for (size_t i = start; i < text.size(); ++i) {
    if (text[i] == '\'') in_text = !in_text;
    if (!in_text && text.substr(i).starts_with(kClose)) return i;
  }
  return std::string_view::npos;
}

}  // namespace

bool has_expression(const yaml::Node& scalar) {
  return scalar.kind == yaml::Node::Kind::kScalar && scalar.scalar.find(kOpen) != std::string::npos;
}

TextPlace text_place(const yaml::Node& scalar) {
  TextPlace place{scalar.place, scalar.lead >= 0};
  if (scalar.lead > 0) place.start.column += scalar.lead;
  return place;
}

Template parse_template(const yaml::Node& scalar) {
  std::string_view rest = scalar.scalar;
  TextPlace place = text_place(scalar);
  Template result;
  auto take = [&](size_t size) {
    std::string_view taken = rest.substr(0, size);
    place = place.after(taken);
    rest.remove_prefix(size);
    return taken;
  };
  while (!rest.empty()) {
    size_t open = std::min(rest.find(kOpen), rest.size());
    if (open > 0) result.pieces.push_back({std::string(take(open)), std::nullopt});
    if (rest.empty()) break;
    size_t close = find_close(rest, kOpen.size());
    if (close == std::string_view::npos) {
      throw Error(ErrorClass::kUsage, "${{ is never closed")
          .at(place.start)
          .hint("write ${{ vars.name }}; for the three characters themselves write ${{ '${{' }}");
    }
    take(kOpen.size());
    TextPlace start = place;
    result.pieces.push_back({"", parse_expression(take(close - kOpen.size()), start)});
    take(kClose.size());
  }
  return result;
}

void visit_references(const Expression& expression, const ReferenceVisitor& visit) {
  bool named = expression.kind == Expression::Kind::kVariable ||
               expression.kind == Expression::Kind::kOutput;
  if (named) visit(expression);
  for (const Expression& operand : expression.operands) visit_references(operand, visit);
}

void visit_references(const yaml::Node& node, const ReferenceVisitor& visit) {
  for (const yaml::Node& item : node.items) visit_references(item, visit);
  for (const auto& [key, value] : node.entries) visit_references(value, visit);
  if (!has_expression(node)) return;
  try {
    for (const auto& piece : parse_template(node).pieces) {
      if (piece.expression) visit_references(*piece.expression, visit);
    }
  } catch (const Error&) {  // reported by resolve_node
  }
}

}  // namespace blackstart::plan
