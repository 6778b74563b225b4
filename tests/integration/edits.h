// Edits of a JSON object, made systematically: every field changed, dropped, emptied, reordered.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace blackstart::test {

struct Edit {
  std::string name;  // "change .spec.replicas"
  boost::json::value edited;
};

/// All edits of one field of `object`, its identity (apiVersion, kind, name) left alone; the first
/// is no edit at all.
std::vector<Edit> edits_of(const boost::json::value& object);

}  // namespace blackstart::test
