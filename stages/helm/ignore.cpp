#include <fnmatch.h>

#include "orchestrator/base/text.h"
#include "stages/helm/chart.h"

namespace blackstart::stages::helm {
namespace {

/// Does the pattern name `path` itself? Without a slash a pattern is about names, else about whole
/// paths.
bool names(std::string pattern, const std::string& path) {
  bool whole = pattern.find('/') != std::string::npos;
  if (pattern.starts_with('/')) pattern.erase(0, 1);
  std::string subject = whole ? path : path.substr(path.rfind('/') + 1);
  return fnmatch(pattern.c_str(), subject.c_str(), FNM_PATHNAME) == 0;
}

}  // namespace

IgnoreRules::IgnoreRules(std::string_view text) {
  patterns_.push_back("templates/.?*");  // helm's own rule
  for (const std::string& line : split(text, '\n')) {
    std::string pattern(trim(line));
    if (!pattern.empty() && !pattern.starts_with('#')) patterns_.push_back(pattern);
  }
}

bool IgnoreRules::ignores(const std::string& path) const {
  // A folder that is ignored takes all below it with it.
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    std::string folder = path.substr(0, end);
    for (std::string pattern : patterns_) {
      if (pattern.ends_with('/')) pattern.pop_back();
      if (!pattern.starts_with('!') && names(pattern, folder)) return true;
    }
  }
  bool ignored = false;
  for (const std::string& pattern : patterns_) {
    if (pattern.starts_with('!')) {
      if (names(pattern.substr(1), path)) ignored = false;
    } else if (!pattern.ends_with('/') && names(pattern, path)) {
      ignored = true;
    }
  }
  return ignored;
}

}  // namespace blackstart::stages::helm
