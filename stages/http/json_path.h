// Where in a JSON document a value stands: "$.items[0].metadata['a.b/c']".
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <variant>
#include <vector>

namespace blackstart::stages::http {

/// The paths of RFC 9535 that lead to one place: names, quoted names and indexes, no wildcards, no
/// filters. "$" may be left out, as kubectl does it: ".items[0].kind".
class JsonPath {
 public:
  /// Throws std::invalid_argument with what is wrong, and at which character.
  explicit JsonPath(const std::string& text);

  /// Null pointer when there is nothing.
  const boost::json::value* find(const boost::json::value& document) const;

 private:
  std::vector<std::variant<std::string, size_t>> steps_;
};

}  // namespace blackstart::stages::http
