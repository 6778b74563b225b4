// Paths as people write them.
#pragma once

#include <string>
#include <string_view>

namespace blackstart {

/// Everything before the last '/'; "/" for what is in the root, "." for a bare name.
std::string folder_of(std::string_view path);

/// `path` as seen from `folder`; an absolute one stays.
std::string absolute_path(const std::string& folder, std::string_view path);

/// Without ".", "..", doubled and trailing slashes. Only the text: see Files::canonical for links.
std::string normal_path(const std::string& path);

/// An absolute path as one writes it from `folder`, when that is shorter: "../lab/plan.yaml".
std::string seen_from(const std::string& folder, const std::string& path);

}  // namespace blackstart
