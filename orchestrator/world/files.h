// Files and the process environment. Synchronous: for small local files; what may take long goes
// through Blocking.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/path.h"
#include "orchestrator/world/task.h"

namespace blackstart {

enum class FileKind { kMissing, kFile, kFolder, kOther };

/// Holds a kernel lock on a file until destroyed; the kernel frees it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Paths are absolute. All failures throw Error(kPermanent) naming the path and the system's
/// reason.
class Files {
 public:
  virtual ~Files() = default;
  virtual FileKind kind(const std::string& path) const = 0;
  virtual std::string read(const std::string& path, size_t limit_bytes) const = 0;
  /// Replaces the file as a whole: temporary file, fsync, rename, fsync of the folder.
  virtual void write(const std::string& path, std::string_view content, int mode = 0600) = 0;
  virtual void make_folders(const std::string& path, int mode = 0700) = 0;
  /// To a new name on the same file system; a file there is replaced.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void remove_all(const std::string& path) = 0;
  /// Names in a folder, sorted.
  virtual std::vector<std::string> list(const std::string& path) const = 0;
  /// The one spelling of a path: without ".", ".." and symbolic links. What is not there yet, or
  /// cannot be looked at, stays as it is written. Where there are no links this is text alone.
  virtual std::string canonical(const std::string& path) const { return normal_path(path); }
  virtual bool executable(const std::string& path) const = 0;
  /// nullptr when another process holds it.
  virtual std::unique_ptr<FileLock> try_lock(const std::string& path) = 0;
};

/// The path of the program in the first of `folders` that has it; nullopt when none has. Relative
/// folders do not count: what runs must not depend on where the user stands.
std::optional<std::string> find_program(const Files& files, std::span<const std::string> folders,
                                        const std::string& name);

class Environment {
 public:
  virtual ~Environment() = default;
  virtual std::optional<std::string> get(const std::string& name) const = 0;
  /// All variables: for programs that are the user's own choice and may look at any.
  virtual std::map<std::string, std::string> all() const = 0;
  virtual std::string working_directory() const = 0;
  virtual std::string executable_path() const = 0;  // of this program
  virtual std::string user() const = 0;
  virtual std::string host() const = 0;
  virtual int pid() const = 0;
  /// A TCP port that is free now, if possible none for outgoing connections; a new one each call.
  virtual int free_port() = 0;
};

/// Runs what blocks (SQLite, hashing, large YAML) off the event loop.
class Blocking {
 public:
  virtual ~Blocking() = default;
  /// Runs `work` on a thread of the pool, one after the other; exceptions arrive at the awaiter.
  /// Not cancellable: `work` is bounded by itself.
  virtual Task<void> run(std::function<void()> work) = 0;
};

}  // namespace blackstart
