// Files and process environment in memory, for tests of the plan room.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/world/files.h"

namespace blackstart::plan {

/// A file exists when it has content; a folder exists when something is in it.
class FakeFiles final : public Files {
 public:
  std::map<std::string, std::string> contents;

  FileKind kind(const std::string& path) const override {
    if (contents.contains(path)) return FileKind::kFile;
    return list(path).empty() ? FileKind::kMissing : FileKind::kFolder;
  }
  std::string read(const std::string& path, size_t limit_bytes) const override {
    auto found = contents.find(path);
    if (found == contents.end()) fail("cannot read " + path + ": No such file or directory");
    if (found->second.size() > limit_bytes) fail("cannot read " + path + ": too large");
    return found->second;
  }
  void write(const std::string& path, std::string_view content, int) override {
    contents[path] = content;
  }
  void make_folders(const std::string&, int) override {}
  void rename(const std::string&, const std::string&) override { fail("nothing is renamed here"); }
  void remove_all(const std::string& path) override { contents.erase(path); }
  std::vector<std::string> list(const std::string& path) const override {
    std::set<std::string> names;
    std::string prefix = path + "/";
    for (auto it = contents.lower_bound(prefix);
         it != contents.end() && it->first.starts_with(prefix); ++it) {
      std::string rest = it->first.substr(prefix.size());
      names.insert(rest.substr(0, rest.find('/')));
    }
    return {names.begin(), names.end()};
  }
  bool executable(const std::string& path) const override { return contents.contains(path); }
  std::unique_ptr<FileLock> try_lock(const std::string&) override { return nullptr; }

 private:
  [[noreturn]] static void fail(const std::string& why) {
    throw Error(ErrorClass::kPermanent, why);
  }
};

class FakeEnvironment final : public Environment {
 public:
  std::map<std::string, std::string> variables;

  std::optional<std::string> get(const std::string& name) const override {
    auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> all() const override { return variables; }
  std::string working_directory() const override { return "/plan"; }
  std::string executable_path() const override { return "/bin/blackstart"; }
  std::string user() const override { return "tester"; }
  std::string host() const override { return "host"; }
  int pid() const override { return 1; }
  int free_port() override { return 1024; }
};

}  // namespace blackstart::plan
