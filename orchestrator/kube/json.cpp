#include "orchestrator/kube/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace blackstart::kube {

namespace json = boost::json;

json::value parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 512;  // CRD schemas are nested deeper than Boost's default of 32
  return json::parse(text, {}, options);
}

namespace {

bool same_number(const json::value& left, const json::value& right) {
  if (left.is_double() || right.is_double())
    return left.to_number<double>() == right.to_number<double>();
  if (left.is_uint64() && right.is_uint64()) return left.get_uint64() == right.get_uint64();
  if (left.is_int64() && right.is_int64()) return left.get_int64() == right.get_int64();
  const int64_t is_signed = left.is_int64() ? left.get_int64() : right.get_int64();
  const uint64_t is_unsigned = left.is_uint64() ? left.get_uint64() : right.get_uint64();
  return is_signed >= 0 && static_cast<uint64_t>(is_signed) == is_unsigned;
}

bool same_object(const json::object& left, const json::object& right) {
  if (left.size() != right.size()) return false;
  for (const auto& [key, value] : left) {
    const json::value* other = right.if_contains(key);
    if (!other || !same_value(value, *other)) return false;
  }
  return true;
}

bool same_array(const json::array& left, const json::array& right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!same_value(left[i], right[i])) return false;
  }
  return true;
}

}  // namespace

bool same_value(const json::value& left, const json::value& right) {
  if (left.is_number() && right.is_number()) return same_number(left, right);
  if (left.is_object() && right.is_object())
    return same_object(left.get_object(), right.get_object());
  if (left.is_array() && right.is_array()) return same_array(left.get_array(), right.get_array());
  return left == right;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                       byte == '~';
    if (plain) {
      result += character;
    } else {
      result += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return result;
}

}  // namespace blackstart::kube
