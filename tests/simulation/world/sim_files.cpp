#include "tests/simulation/world/sim_files.h"

#include "orchestrator/base/error.h"
#include "orchestrator/base/path.h"

namespace blackstart::sim {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path, const std::string& why) {
  throw Error(ErrorClass::kPermanent, "cannot " + what + " " + path).because(why);
}

std::string normal(const std::string& path) {
  if (!path.starts_with('/')) throw Error(ErrorClass::kBug, "not an absolute path: " + path);
  return normal_path(path);
}

}  // namespace

class SimFiles::Lock final : public FileLock {
 public:
  Lock(SimFiles& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~Lock() override { files_.locked_.erase(path_); }

 private:
  SimFiles& files_;
  std::string path_;
};

SimFiles::SimFiles() { entries_["/"] = {FileKind::kFolder, "", 0755}; }

const SimFiles::Entry* SimFiles::find(const std::string& path) const {
  auto found = entries_.find(normal(path));
  return found == entries_.end() ? nullptr : &found->second;
}

void SimFiles::require_folder(const std::string& path) const {
  const Entry* entry = find(path);
  if (entry == nullptr) fail("open folder", path, "No such file or directory");
  if (entry->kind != FileKind::kFolder) fail("open folder", path, "Not a directory");
}

FileKind SimFiles::kind(const std::string& path) const {
  const Entry* entry = find(path);
  return entry == nullptr ? FileKind::kMissing : entry->kind;
}

std::string SimFiles::read(const std::string& path, size_t limit_bytes) const {
  const Entry* entry = find(path);
  if (entry == nullptr) fail("read", path, "No such file or directory");
  if (entry->kind == FileKind::kFolder) fail("read", path, "Is a directory");
  if (entry->content.size() > limit_bytes)
    fail("read", path, "it is larger than the limit of " + std::to_string(limit_bytes) + " bytes");
  return entry->content;
}

void SimFiles::write(const std::string& path, std::string_view content, int mode) {
  if (frozen_) return;
  std::string where = normal(path);
  require_folder(folder_of(where));
  if (kind(where) == FileKind::kFolder) fail("replace", path, "Is a directory");
  entries_[where] = {FileKind::kFile, std::string(content), mode};
}

void SimFiles::make_folders(const std::string& path, int mode) {
  if (frozen_) return;
  std::string where = normal(path);
  if (kind(where) == FileKind::kFolder) return;
  if (kind(where) != FileKind::kMissing) fail("make folder", path, "File exists");
  make_folders(folder_of(where), mode);
  entries_[where] = {FileKind::kFolder, "", mode};
}

void SimFiles::rename(const std::string& from, const std::string& to) {
  if (frozen_) return;
  std::string old = normal(from);
  if (find(old) == nullptr) fail("rename", from, "No such file or directory");
  require_folder(folder_of(normal(to)));
  std::map<std::string, Entry> moved;
  for (const auto& [path, entry] : entries_) {
    if (path == old || path.starts_with(old + "/"))
      moved.emplace(normal(to) + path.substr(old.size()), entry);
  }
  remove_all(from);
  for (auto& [path, entry] : moved) entries_.insert_or_assign(path, std::move(entry));
}

void SimFiles::remove_all(const std::string& path) {
  if (frozen_) return;
  std::string where = normal(path);
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.first == where || entry.first.starts_with(where + "/");
  });
}

std::vector<std::string> SimFiles::list(const std::string& path) const {
  require_folder(path);
  std::string where = normal(path);
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (name != "/" && folder_of(name) == where) names.push_back(name.substr(name.rfind('/') + 1));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool SimFiles::executable(const std::string& path) const {
  const Entry* entry = find(path);
  return entry != nullptr && entry->kind == FileKind::kFile && (entry->mode & 0111) != 0;
}

std::unique_ptr<FileLock> SimFiles::try_lock(const std::string& path) {
  std::string where = normal(path);
  if (!locked_.insert(where).second) return nullptr;
  if (find(where) == nullptr) write(where, "", 0600);
  return std::make_unique<Lock>(*this, where);
}

void SimFiles::add(const std::string& path, std::string_view content, int mode) {
  make_folders(folder_of(normal(path)), 0755);
  write(path, content, mode);
}

int SimFiles::mode(const std::string& path) const {
  const Entry* entry = find(path);
  return entry == nullptr ? 0 : entry->mode;
}

void SimFiles::thaw() {
  frozen_ = false;
  locked_.clear();
}

}  // namespace blackstart::sim
