// Paths as people write them.
#pragma once

#include <string>

namespace blackstart {

/// An absolute path as one writes it from `folder`, when that is shorter: "../lab/plan.yaml".
std::string seen_from(const std::string& folder, const std::string& path);

}  // namespace blackstart
