#include "orchestrator/base/place.h"

#include <mutex>
#include <set>
#include <tuple>

namespace blackstart {

std::string Place::to_string() const {
  if (file == nullptr) return {};
  std::string text = *file;
  if (line > 0) text += ":" + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  return text;
}

namespace {
const std::string& name_of(const Place& place) {
  static const std::string none;
  return place.file == nullptr ? none : *place.file;
}
}  // namespace

bool operator<(const Place& left, const Place& right) {
  return std::tie(name_of(left), left.line, left.column) <
         std::tie(name_of(right), right.line, right.column);
}

bool operator==(const Place& left, const Place& right) {
  return std::tie(name_of(left), left.line, left.column) ==
         std::tie(name_of(right), right.line, right.column);
}

const std::string* intern_file(std::string_view name) {
  static std::mutex mutex;  // manifests are also read on the blocking pool
  static std::set<std::string, std::less<>> names;
  std::lock_guard lock(mutex);
  auto found = names.find(name);
  return &*(found != names.end() ? found : names.emplace(name).first);
}

}  // namespace blackstart
