// The Application that manages a release's objects now, beside what the plan says of the release;
// pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "stages/helm/release_options.h"

namespace blackstart::stages::helm {

/// Where the Application's chart, version and values differ from the plan's, a phrase each: what a
/// bring-up from nothing would install first, and Argo CD change after.
std::vector<std::string> keeper_differences(const WantedRelease& wanted,
                                            const boost::json::value& application);

}  // namespace blackstart::stages::helm
