#include "orchestrator/world/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "orchestrator/base/error.h"
#include "orchestrator/base/path.h"
#include "orchestrator/world/descriptor.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const std::string& path, int error) {
  throw Error(ErrorClass::kPermanent, "cannot " + what + " " + path).because(std::strerror(error));
}

Descriptor open_file(const std::string& what, const std::string& path, int flags, int mode = 0) {
  int number;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (number < 0 && errno == EINTR);
  if (number < 0) fail(what, path, errno);
  return Descriptor(number);
}

void write_all(const Descriptor& file, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
}

// A rename is on the disk only when its folder is.
void sync_folder(const std::string& folder) {
  Descriptor opened = open_file("open folder", folder, O_RDONLY | O_DIRECTORY);
  // Some file systems cannot sync a folder (EINVAL); there is nothing better to be had from them.
  if (::fsync(opened.get()) != 0 && errno != EINVAL) fail("sync folder", folder, errno);
}

std::string temporary_name(const std::string& path) {
  static int counter = 0;
  return folder_of(path) + "/." + fs::path(path).filename().string() + "." +
         std::to_string(::getpid()) + "-" + std::to_string(++counter) + ".tmp";
}

// Removes the temporary file unless it has been renamed.
struct TemporaryFile {
  std::string path;
  bool kept = false;
  ~TemporaryFile() {
    if (!kept) ::unlink(path.c_str());
  }
};

void rename_over(TemporaryFile& temporary, const std::string& path) {
  if (::rename(temporary.path.c_str(), path.c_str()) != 0) fail("replace", path, errno);
  temporary.kept = true;
}

class HeldLock final : public FileLock {
 public:
  explicit HeldLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;
};

// The lock is worth something only while the locked file is the one under that name.
bool still_there(const Descriptor& file, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

class RealFiles final : public Files {
 public:
  FileKind kind(const std::string& path) const override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return FileKind::kMissing;
      fail("look at", path, errno);
    }
    if (S_ISREG(status.st_mode)) return FileKind::kFile;
    return S_ISDIR(status.st_mode) ? FileKind::kFolder : FileKind::kOther;
  }

  std::string read(const std::string& path, size_t limit_bytes) const override {
    // Non-blocking: opening a named pipe must not hang.
    Descriptor file = open_file("read", path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail("read", path, errno);
    if (S_ISDIR(status.st_mode)) fail("read", path, EISDIR);
    std::string content;
    char buffer[64 * 1024];
    while (true) {
      ssize_t got = ::read(file.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("read", path, errno);
      if (got == 0) return content;
      if (content.size() + static_cast<size_t>(got) > limit_bytes) too_large(path, limit_bytes);
      content.append(buffer, static_cast<size_t>(got));
    }
  }

  void write(const std::string& path, std::string_view content, int mode) override {
    TemporaryFile temporary{temporary_name(path)};
    ::unlink(temporary.path.c_str());  // of a dead process that had our number
    {
      Descriptor file =
          open_file("write", temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
      if (::fchmod(file.get(), static_cast<mode_t>(mode)) != 0) fail("write", path, errno);
      write_all(file, content, path);
      if (::fsync(file.get()) != 0) fail("write", path, errno);
    }
    rename_over(temporary, path);
    sync_folder(folder_of(path));
  }

  void make_folders(const std::string& path, int mode) override {
    std::string folder;
    for (const auto& part : fs::path(path)) {
      folder = (fs::path(folder) / part).string();
      if (folder == "/" || part.empty()) continue;
      if (::mkdir(folder.c_str(), static_cast<mode_t>(mode)) == 0) continue;
      int error = errno;
      if (kind(folder) != FileKind::kFolder) fail("make folder", folder, error);
    }
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail("rename", from, errno);
    sync_folder(folder_of(to));
  }

  void remove_all(const std::string& path) override {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) fail("remove", path, error.value());
  }

  std::vector<std::string> list(const std::string& path) const override {
    std::error_code error;
    std::vector<std::string> names;
    for (auto entry = fs::directory_iterator(path, error);
         !error && entry != fs::directory_iterator(); entry.increment(error))
      names.push_back(entry->path().filename().string());
    if (error) fail("list", path, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string canonical(const std::string& path) const override {
    std::error_code error;
    fs::path found = fs::weakly_canonical(path, error);
    return normal_path(error ? path : found.string());
  }

  bool executable(const std::string& path) const override {
    return kind(path) == FileKind::kFile && ::access(path.c_str(), X_OK) == 0;
  }

  std::unique_ptr<FileLock> try_lock(const std::string& path) override {
    while (true) {
      Descriptor file = open_file("lock", path, O_RDWR | O_CREAT, 0600);
      if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return nullptr;
        if (errno != EINTR) fail("lock", path, errno);
      } else if (still_there(file, path)) {
        return std::make_unique<HeldLock>(std::move(file));
      }
    }
  }

 private:
  [[noreturn]] static void too_large(const std::string& path, size_t limit_bytes) {
    throw Error(ErrorClass::kPermanent, "cannot read " + path)
        .because("it is larger than the limit of " + std::to_string(limit_bytes) + " bytes");
  }
};

}  // namespace

std::unique_ptr<Files> make_files() { return std::make_unique<RealFiles>(); }

}  // namespace blackstart::real

namespace blackstart {

std::optional<std::string> find_program(const Files& files, std::span<const std::string> folders,
                                        const std::string& name) {
  for (const std::string& folder : folders) {
    std::string candidate = folder + "/" + name;
    if (folder.starts_with('/') && files.executable(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace blackstart
