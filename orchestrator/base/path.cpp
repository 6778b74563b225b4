#include "orchestrator/base/path.h"

#include <filesystem>

namespace blackstart {

std::string folder_of(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

std::string absolute_path(const std::string& folder, std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path.starts_with('/')) return std::string(path);
  if (path.empty() || path == ".") return folder;
  return (folder == "/" ? "" : folder) + "/" + std::string(path);
}

std::string normal_path(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

std::string seen_from(const std::string& folder, const std::string& path) {
  if (folder.empty() || !path.starts_with('/')) return path;
  std::string relative = std::filesystem::path(path).lexically_relative(folder);
  return relative.empty() || relative.size() >= path.size() ? path : relative;
}

}  // namespace blackstart
