// Which of two CustomResourceDefinitions is the newer one.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace blackstart::stages {

/// Why putting `wanted` in the place of `live` would be a step back; empty when it is none.
std::string why_downgrade(const boost::json::value& wanted, const boost::json::value& live);

/// Why the API server will not put `wanted` in the place of `live` before the stored objects are
/// migrated; empty when it will.
std::string why_unmigrated(const boost::json::value& wanted, const boost::json::value& live);

/// Kubernetes' order of API versions: v1beta1 < v1beta2 < v1 < v2; others below all of these.
bool older_api_version(std::string_view left, std::string_view right);

/// Dotted numbers with an optional "v"; pre-releases ("-rc.1") in the order of semantic versioning,
/// below their release. False when either is no version.
bool older_release(std::string_view left, std::string_view right);

}  // namespace blackstart::stages
