// Helm values: files and maps merged as helm merges them, and compared with what a release was
// given.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "orchestrator/world/files.h"

namespace blackstart::stages::helm {

/// `over` laid on `base`: maps merge, anything else replaces. A null stays: it tells helm to drop
/// the chart's default of that name.
boost::json::value merge_values(boost::json::value base, const boost::json::value& over);

/// The values files in order, later ones win. Throws Error(kUsage) naming file, line and column for
/// what is no YAML map, Error(kPermanent) for a file that cannot be read.
boost::json::value load_values(const Files& files, const std::vector<std::string>& paths);

/// Equal as YAML readers see it: 1 and 1.0 are the same number, absent and null map entries differ.
bool same_values(const boost::json::value& left, const boost::json::value& right);

/// Paths (".server.replicas") where the two differ, at most `limit` of them; never the values,
/// which may be secret.
std::vector<std::string> value_differences(const boost::json::value& left,
                                           const boost::json::value& right, size_t limit);

}  // namespace blackstart::stages::helm
