#include <array>
#include <boost/json/value.hpp>
#include <charconv>

#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

// Variables hold lists and maps, so that a small plan could ask for a value of any size.
constexpr size_t kValuesMax = 1'000'000;
constexpr size_t kTextMax = 16u << 20;

[[noreturn]] void fail(Place place, std::string message, std::string hint = {}) {
  throw Error(ErrorClass::kUsage, std::move(message)).at(place).hint(std::move(hint));
}

std::string number_text(double number) {
  std::array<char, 64> text{};
  auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), number);
  (void)problem;
  return {text.data(), end};
}

/// A value as it stands inside longer text.
std::string embedded(const Value& value, Place place) {
  switch (value.kind) {
    case Value::Kind::kString: return value.text;
    case Value::Kind::kInteger: return std::to_string(value.integer);
    case Value::Kind::kFloat: return number_text(value.number);
    case Value::Kind::kBoolean: return value.boolean ? "true" : "false";
    case Value::Kind::kNull:
      fail(place, "null cannot stand inside text", "give the variable a value");
    default:
      fail(place, value.kind_text() + " cannot stand inside text",
           "let ${{ }} be the whole value, or name one element of it");
  }
}

class Resolver {
 public:
  Resolver(const Scope& scope, Diagnostics& diagnostics)
      : scope_(scope), diagnostics_(diagnostics) {}

  Value resolve(const yaml::Node& node) {
    Value value;
    value.place = node.place;
    if (node.is_list()) {
      value.kind = Value::Kind::kList;
      value.items.reserve(node.items.size());
      for (const yaml::Node& item : node.items) value.items.push_back(resolve(item));
    } else if (node.is_map()) {
      value.kind = Value::Kind::kMap;
      value.entries.reserve(node.entries.size());
      for (const auto& [key, child] : node.entries) add_entry(value, key, child);
    } else {
      value = has_expression(node) ? resolve_scalar(node)
                                   : Value::of(yaml::scalar_value(node), node.place);
    }
    return value;
  }

 private:
  void add_entry(Value& map, const yaml::Node& key, const yaml::Node& child) {
    if (has_expression(key)) diagnostics_.error(key.place, "a key cannot hold ${{ }}");
    Value value = resolve(child);
    value.key_place = key.place;
    map.entries.emplace_back(yaml::key_name(key), std::move(value));
  }

  Value resolve_scalar(const yaml::Node& node) {
    try {
      return replace(node);
    } catch (const Error& error) {
      diagnostics_.error(error.place(), error.summary(), error.hint());
      return unreadable(node.place);
    }
  }

  Value replace(const yaml::Node& node) {
    Template parsed = parse_template(node);
    if (parsed.is_exact())
      return bring(evaluate(*parsed.pieces.front().expression, scope_), node.place);
    Value result;
    result.kind = Value::Kind::kString;
    result.place = node.place;
    for (const Template::Piece& piece : parsed.pieces) {
      if (!piece.expression) {
        result.text += piece.text;
        continue;
      }
      Value value = evaluate(*piece.expression, scope_);
      if (value.kind == Value::Kind::kUnknown) return bring(std::move(value), node.place);
      result.text += embedded(value, piece.expression->place);
      result.sensitive = result.sensitive || value.sensitive;
      charge(1, result.text.size(), node.place);
    }
    return result;
  }

  /// Moves a value to where it is used, and remembers where it was written.
  Value bring(Value value, Place place) {
    charge_all(value, place);
    if (!value.origin.known()) value.origin = value.place;
    value.place = place;
    return value;
  }

  void charge_all(const Value& value, Place place) {
    charge(1, value.text.size(), place);
    for (const Value& item : value.items) charge_all(item, place);
    for (const auto& [key, child] : value.entries) charge_all(child, place);
  }

  void charge(size_t values, size_t text, Place place) {
    values_ += values;
    text_ += text;
    if (values_ > kValuesMax || text_ > kTextMax) {
      fail(place, "${{ }} brings in too much: more than 1,000,000 values or 16 MiB of text");
    }
  }

  const Scope& scope_;
  Diagnostics& diagnostics_;
  size_t values_ = 0;
  size_t text_ = 0;
};

}  // namespace

Value unreadable(Place place) {
  Value value;
  value.kind = Value::Kind::kUnknown;
  value.place = place;
  return value;
}

Value resolve_node(const yaml::Node& node, const Scope& scope, Diagnostics& diagnostics) {
  return Resolver(scope, diagnostics).resolve(node);
}

Value outline(const yaml::Node& node, int levels) {
  if (!node.is_list() && !node.is_map()) return Value::of(yaml::scalar_value(node), node.place);
  Value value;
  value.place = node.place;
  value.kind = node.is_list() ? Value::Kind::kList : Value::Kind::kMap;
  if (levels == 0) return value;
  value.items.reserve(node.items.size());
  value.entries.reserve(node.entries.size());
  for (const yaml::Node& item : node.items) value.items.push_back(outline(item, levels - 1));
  for (const auto& [key, child] : node.entries) {
    value.entries.emplace_back(yaml::key_name(key), outline(child, levels - 1));
    value.entries.back().second.key_place = key.place;
  }
  return value;
}

}  // namespace blackstart::plan
