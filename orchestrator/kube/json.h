// JSON as API servers send it: deep, large, and read with bounds.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace blackstart::kube {

/// Parses one JSON text, nested at most 512 deep; throws boost::system::system_error.
boost::json::value parse_json(std::string_view text);

/// Equal by meaning: numbers by value whatever their type, objects in any order of keys.
bool same_value(const boost::json::value& left, const boost::json::value& right);

/// Percent-encodes all but unreserved characters: for path segments and query values.
std::string percent_encode(std::string_view text);

}  // namespace blackstart::kube
