// Files in memory.
#pragma once

#include <map>
#include <set>
#include <string>

#include "orchestrator/world/files.h"

namespace blackstart::sim {

class SimFiles final : public Files {
 public:
  SimFiles();
  FileKind kind(const std::string& path) const override;
  std::string read(const std::string& path, size_t limit_bytes) const override;
  void write(const std::string& path, std::string_view content, int mode) override;
  void make_folders(const std::string& path, int mode) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove_all(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) const override;
  bool executable(const std::string& path) const override;
  std::unique_ptr<FileLock> try_lock(const std::string& path) override;

  /// For setting up a test: the file with all its folders.
  void add(const std::string& path, std::string_view content, int mode = 0644);
  /// The permission bits; 0 when there is no such file.
  int mode(const std::string& path) const;
  /// The process dies: from now on nothing is changed any more, whatever destructors try.
  void freeze() { frozen_ = true; }
  /// A new process: the kernel has dropped the locks of the old one.
  void thaw();

 private:
  struct Entry {
    FileKind kind = FileKind::kFile;
    std::string content;
    int mode = 0;
  };
  class Lock;
  const Entry* find(const std::string& path) const;
  void require_folder(const std::string& path) const;

  std::map<std::string, Entry> entries_;  // by normal absolute path
  std::set<std::string> locked_;
  bool frozen_ = false;
};

}  // namespace blackstart::sim
