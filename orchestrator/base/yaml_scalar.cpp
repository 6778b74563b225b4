// The meaning of plain scalars, as sigs.k8s.io/yaml (go-yaml v2) has it: tests/unit/base has the
// table.
#include <array>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {
namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// The longest word is "False": nearly every scalar is decided by its length.
constexpr size_t kWordMax = 5;

bool is_true(std::string_view text) {
  if (text.size() > kWordMax) return false;
  return one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"});
}
bool is_false(std::string_view text) {
  if (text.size() > kWordMax) return false;
  return one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"});
}
bool is_null(std::string_view text) { return one_of(text, {"", "~", "null", "Null", "NULL"}); }
bool is_not_finite(std::string_view text) {
  if (text.size() > kWordMax || text.find('.') > 1) return false;
  if (one_of(text, {".nan", ".NaN", ".NAN"})) return true;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return one_of(text, {".inf", ".Inf", ".INF"});
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Go's strconv.ParseInt(text, 0, 64) or ParseUint: sign, then 0x, 0o, 0b or a leading 0 choose the
/// base.
std::optional<boost::json::value> parse_integer(std::string_view text) {
  bool negative = text.starts_with('-');
  bool has_sign = negative || text.starts_with('+');
  if (has_sign) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  uint64_t magnitude = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  constexpr uint64_t kSmallest = uint64_t{1} << 63;
  if (negative) {
    if (magnitude > kSmallest) return std::nullopt;
    return static_cast<int64_t>(~magnitude + 1);
  }
  if (magnitude < kSmallest) return static_cast<int64_t>(magnitude);
  if (has_sign) return std::nullopt;  // ParseUint takes no sign
  return magnitude;
}

/// go-yaml's own pattern: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view text) {
  size_t i = 0;
  auto digits = [&] {
    size_t start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  bool whole = digits() > 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0 && !whole) return false;
  } else if (!whole) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

std::optional<double> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Too small is zero for Go; too large is an error, and the scalar stays a string.
  if (problem == std::errc::result_out_of_range) {
    value = std::strtod(std::string(text).c_str(), nullptr);
    if (!std::isfinite(value)) return std::nullopt;
    return value;
  }
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A float that JSON writes without point or exponent comes back from JSON as an integer.
boost::json::value as_json_number(double value) {
  if (std::trunc(value) == value) {
    if (value > -9223372036854775808.0 && value < 9223372036854775808.0)
      return static_cast<int64_t>(value);
    if (value > 0 && value < 18446744073709551616.0) return static_cast<uint64_t>(value);
  }
  return value;
}

struct Number {
  boost::json::value value;
  bool is_float = false;
};

std::optional<Number> parse_number(std::string_view text) {
  if (text.empty() || !(is_digit(text[0]) || one_of(text.substr(0, 1), {"+", "-", "."})))
    return std::nullopt;
  std::string plain(text);
  // Only what starts with a digit or a sign may have underscores.
  if (text[0] != '.') std::erase(plain, '_');
  if (auto integer = parse_integer(plain); integer && text[0] != '.')
    return Number{std::move(*integer), false};
  if (auto number = parse_float(plain)) return Number{as_json_number(*number), true};
  return std::nullopt;
}

/// As Go's FormatFloat(value, 'g', -1, 32): the shortest text that gives the same 32-bit float.
std::string float_key(double value) {
  std::array<char, 64> text{};
  auto number = static_cast<float>(value);
  auto [end, problem] =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific);
  (void)problem;
  std::string scientific(text.data(), end);
  int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (exponent < -4 || exponent >= 6) return scientific;
  auto fixed =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return std::string(text.data(), fixed.ptr);
}

}  // namespace

PlainKind plain_kind(std::string_view text) {
  if (is_null(text)) return PlainKind::kNull;
  if (is_true(text) || is_false(text)) return PlainKind::kBoolean;
  if (is_not_finite(text)) return PlainKind::kNotFinite;
  auto number = parse_number(text);
  if (!number) return PlainKind::kString;
  return number->is_float ? PlainKind::kFloat : PlainKind::kInteger;
}

boost::json::value scalar_value(const Node& node) {
  if (node.kind == Node::Kind::kNull) return nullptr;
  if (node.quoted) return boost::json::value(node.scalar);
  if (is_null(node.scalar)) return nullptr;
  if (is_true(node.scalar)) return true;
  if (is_false(node.scalar)) return false;
  if (auto number = parse_number(node.scalar)) return std::move(number->value);
  return boost::json::value(node.scalar);
}

std::optional<std::string> key_text(const Node& key) {
  if (key.kind != Node::Kind::kScalar) return std::nullopt;
  if (key.quoted) return key.scalar;
  if (is_null(key.scalar)) return std::nullopt;
  if (is_true(key.scalar)) return "true";
  if (is_false(key.scalar)) return "false";
  auto number = parse_number(key.scalar);
  if (!number) return key.scalar;
  if (number->is_float) return float_key(number->value.to_number<double>());
  if (number->value.is_uint64()) return std::to_string(number->value.get_uint64());
  return std::to_string(number->value.get_int64());
}

std::string key_name(const Node& key) { return key_text(key).value_or(key.scalar); }

boost::json::value to_json(const Node& node) {
  if (node.is_list()) {
    boost::json::array list;
    list.reserve(node.items.size());
    for (const Node& item : node.items) list.push_back(to_json(item));
    return list;
  }
  if (!node.is_map()) return scalar_value(node);
  boost::json::object map;
  map.reserve(node.entries.size());
  for (const auto& [key, value] : node.entries) map[key_name(key)] = to_json(value);
  return map;
}

}  // namespace blackstart::yaml
