#include <optional>

#include "orchestrator/plan/expression.h"
#include "orchestrator/plan/suggest.h"

namespace blackstart::plan {
namespace {

using Kind = Expression::Kind;

[[noreturn]] void fail(Place place, std::string message, std::string hint = {}) {
  throw Error(ErrorClass::kUsage, std::move(message)).at(place).hint(std::move(hint));
}

bool is_number(const Value& value) {
  return value.kind == Value::Kind::kInteger || value.kind == Value::Kind::kFloat;
}

double as_number(const Value& value) {
  return value.kind == Value::Kind::kInteger ? static_cast<double>(value.integer) : value.number;
}

Value boolean_value(bool truth, bool sensitive, Place place) {
  Value value;
  value.kind = Value::Kind::kBoolean;
  value.place = place;
  value.boolean = truth;
  value.sensitive = sensitive;
  return value;
}

Value evaluate_equal(const Expression& expression, const Scope& scope) {
  Value left = evaluate(expression.operands[0], scope);
  Value right = evaluate(expression.operands[1], scope);
  for (Value* side : {&left, &right}) {
    if (const Value* unknown = side->first_unknown()) return *unknown;
  }
  bool same = false;
  if (left.kind == right.kind) {
    same = left.canonical() == right.canonical();
  } else if (is_number(left) && is_number(right)) {
    same = as_number(left) == as_number(right);
  } else if (!left.is_null() && !right.is_null()) {
    fail(expression.place,
         "compares " + left.kind_text() + " with " + right.kind_text() + ": they are never equal",
         "text needs quotes, numbers and true or false must have none");
  }
  return boolean_value(same == (expression.kind == Kind::kEqual), left.sensitive || right.sensitive,
                       expression.place);
}

Value truth_of(const Expression& operand, const Scope& scope) {
  Value value = evaluate(operand, scope);
  if (value.kind == Value::Kind::kBoolean || value.kind == Value::Kind::kUnknown) return value;
  fail(operand.place, "expected true or false, got " + value.kind_text(),
       "compare it: == or != gives true or false");
}

/// From left to right until the result is sure, so that `vars.x != null && vars.x.y` guards its
/// right.
Value evaluate_chain(const Expression& expression, const Scope& scope) {
  bool decisive = expression.kind == Kind::kOr;
  bool sensitive = false;
  for (const Expression& operand : expression.operands) {
    Value value = truth_of(operand, scope);
    if (value.kind == Value::Kind::kUnknown) return value;
    sensitive = sensitive || value.sensitive;
    if (value.boolean == decisive) return boolean_value(decisive, sensitive, expression.place);
  }
  return boolean_value(!decisive, sensitive, expression.place);
}

std::vector<std::string> keys_of(const Value& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map.entries) keys.push_back(entry.first);
  return keys;
}

const Value& step(const Value& value, const Value& key, Place place) {
  if (value.kind == Value::Kind::kMap) {
    if (key.kind != Value::Kind::kString) fail(place, "a key must be text, not " + key.kind_text());
    const Value* found = value.find(key.text);
    if (found == nullptr) {
      bool secret = value.sensitive || key.sensitive;
      fail(place, secret ? "the map has no such key" : "the map has no key '" + key.text + "'",
           secret ? "" : suggest(key.text, keys_of(value)));
    }
    return *found;
  }
  if (value.kind != Value::Kind::kList) fail(place, value.kind_text() + " has no keys");
  if (key.kind != Value::Kind::kInteger) fail(place, "a list is read by number: [0]");
  auto size = static_cast<int64_t>(value.items.size());
  if (key.integer < 0 || key.integer >= size) {
    fail(place, "the list has no element " + std::to_string(key.integer),
         "it has " + std::to_string(size));
  }
  return value.items[static_cast<size_t>(key.integer)];
}

/// Follows the keys of a path without copying what it passes through.
Value follow(const Expression& path, const Value& start, const Scope& scope) {
  const Value* value = &start;
  bool sensitive = start.sensitive;
  for (const Expression& key_expression : path.operands) {
    Value key = evaluate(key_expression, scope);
    if (key.kind == Value::Kind::kUnknown) return key;
    if (value->kind == Value::Kind::kUnknown) break;
    sensitive = sensitive || key.sensitive;
    value = &step(*value, key, key_expression.place);
  }
  Value result = *value;
  if (sensitive) result.taint();
  return result;
}

Value text_value(std::string text, Place place) {
  Value value;
  value.kind = Value::Kind::kString;
  value.place = place;
  value.text = std::move(text);
  return value;
}

}  // namespace

Value evaluate(const Expression& expression, const Scope& scope) {
  switch (expression.kind) {
    case Kind::kLiteral: return expression.literal;
    case Kind::kVariable:
      return follow(expression, scope.variable(expression.name, expression.place), scope);
    case Kind::kOutput: return follow(expression, scope.output(expression), scope);
    case Kind::kEnvironmentName:
      return text_value(scope.environment(expression.place), expression.place);
    case Kind::kEqual:
    case Kind::kNotEqual: return evaluate_equal(expression, scope);
    case Kind::kAnd:
    case Kind::kOr: return evaluate_chain(expression, scope);
    case Kind::kNot: {
      Value value = truth_of(expression.operands[0], scope);
      value.boolean = !value.boolean;  // means nothing in an unknown one
      return value;
    }
  }
  return {};
}

}  // namespace blackstart::plan
