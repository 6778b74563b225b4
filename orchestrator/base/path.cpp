#include "orchestrator/base/path.h"

#include <filesystem>

namespace blackstart {

std::string seen_from(const std::string& folder, const std::string& path) {
  if (folder.empty() || !path.starts_with('/')) return path;
  std::string relative = std::filesystem::path(path).lexically_relative(folder);
  return relative.empty() || relative.size() >= path.size() ? path : relative;
}

}  // namespace blackstart
