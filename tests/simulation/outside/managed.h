// Who set which field: server-side apply as the API server does it.
//
// Maps are merged field by field. Lists are taken as a whole, as for kinds without a list schema;
// the real server knows the keys of the lists of its own kinds.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <vector>

namespace blackstart::sim {

using FieldPath = std::vector<std::string>;

struct FieldOwner {
  std::string manager;
  std::string operation;  // "Apply" or "Update"
  std::string api_version;
  std::set<FieldPath> fields;
  std::string time;  // of its last write
  bool operator==(const FieldOwner&) const = default;
};

/// An object and its owners; `object` is without managedFields.
struct Managed {
  boost::json::object object;
  std::vector<FieldOwner> owners;
};

struct FieldClash {
  std::string manager;
  FieldPath field;
};

/// Lays `applied` on it. Without `force`, fields that others own with another value are clashes,
/// and nothing is changed.
std::vector<FieldClash> apply_fields(Managed& target, const boost::json::object& applied,
                                     const std::string& manager, bool force);

/// A merge patch by `manager`.
void patch_fields(Managed& target, const boost::json::object& patch, const std::string& manager);

/// metadata.managedFields as the API shows it.
boost::json::array managed_fields(const std::vector<FieldOwner>& owners);

/// ".spec.replicas".
std::string to_text(const FieldPath& path);

}  // namespace blackstart::sim
