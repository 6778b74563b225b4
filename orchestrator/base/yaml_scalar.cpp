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

enum class Word { kNone, kNull, kTrue, kFalse, kNotFinite };

constexpr std::pair<std::string_view, Word> kWords[] = {
    {"~", Word::kNull},          {"null", Word::kNull},       {"Null", Word::kNull},
    {"NULL", Word::kNull},       {"true", Word::kTrue},       {"True", Word::kTrue},
    {"TRUE", Word::kTrue},       {"yes", Word::kTrue},        {"Yes", Word::kTrue},
    {"YES", Word::kTrue},        {"on", Word::kTrue},         {"On", Word::kTrue},
    {"ON", Word::kTrue},         {"y", Word::kTrue},          {"Y", Word::kTrue},
    {"false", Word::kFalse},     {"False", Word::kFalse},     {"FALSE", Word::kFalse},
    {"no", Word::kFalse},        {"No", Word::kFalse},        {"NO", Word::kFalse},
    {"off", Word::kFalse},       {"Off", Word::kFalse},       {"OFF", Word::kFalse},
    {"n", Word::kFalse},         {"N", Word::kFalse},         {".nan", Word::kNotFinite},
    {".NaN", Word::kNotFinite},  {".NAN", Word::kNotFinite},  {".inf", Word::kNotFinite},
    {".Inf", Word::kNotFinite},  {".INF", Word::kNotFinite},  {"+.inf", Word::kNotFinite},
    {"+.Inf", Word::kNotFinite}, {"+.INF", Word::kNotFinite}, {"-.inf", Word::kNotFinite},
    {"-.Inf", Word::kNotFinite}, {"-.INF", Word::kNotFinite}};

/// What go-yaml has in its table; nearly every scalar is ruled out by its length or first letter.
Word word_of(std::string_view text) {
  constexpr size_t kSizeMax = 5;
  constexpr std::string_view kFirst = "~nNtTyYoOfF.+-";
  if (text.empty()) return Word::kNull;
  if (text.size() > kSizeMax || kFirst.find(text[0]) == std::string_view::npos) return Word::kNone;
  for (const auto& [word, meaning] : kWords) {
    if (word[0] == text[0] && word == text) return meaning;
  }
  return Word::kNone;
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
  if (text.empty() || !(is_digit(text[0]) || text[0] == '+' || text[0] == '-' || text[0] == '.'))
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
  switch (word_of(text)) {
    case Word::kNull: return PlainKind::kNull;
    case Word::kTrue:
    case Word::kFalse: return PlainKind::kBoolean;
    case Word::kNotFinite: return PlainKind::kNotFinite;
    case Word::kNone: break;
  }
  auto number = parse_number(text);
  if (!number) return PlainKind::kString;
  return number->is_float ? PlainKind::kFloat : PlainKind::kInteger;
}

boost::json::value scalar_value(const Node& node) {
  if (node.kind == Node::Kind::kNull) return nullptr;
  if (node.quoted) return boost::json::value(node.scalar);
  switch (word_of(node.scalar)) {
    case Word::kNull: return nullptr;
    case Word::kTrue: return true;
    case Word::kFalse: return false;
    default: break;
  }
  if (auto number = parse_number(node.scalar)) return std::move(number->value);
  return boost::json::value(node.scalar);
}

std::optional<std::string> key_text(const Node& key) {
  if (key.kind != Node::Kind::kScalar) return std::nullopt;
  if (key.quoted) return key.scalar;
  switch (word_of(key.scalar)) {
    case Word::kNull: return std::nullopt;
    case Word::kTrue: return "true";
    case Word::kFalse: return "false";
    default: break;
  }
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
