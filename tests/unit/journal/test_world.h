// The journal's world in small: a manual clock, real files, an event loop that runs one task.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "orchestrator/base/error.h"
#include "orchestrator/world/world.h"

namespace blackstart::journal {

class ManualClock final : public Clock {
 public:
  Instant now() const override { return Instant(elapsed); }
  WallTime wall_time() const override {
    return WallTime(std::chrono::seconds(1767323045) + elapsed);
  }
  Task<void> sleep_until(Instant) override { co_return; }

  Duration elapsed{};
};

class CountingRandom final : public Random {
 public:
  double uniform() override { return 0.5; }
  std::string bytes(size_t count) override {
    return std::string(count, static_cast<char>(++calls_));
  }

 private:
  int calls_ = 0;
};

class NoProcesses final : public Processes {
 public:
  Task<Exit> run(Command) override { throw Error(ErrorClass::kBug, "no processes here"); }
  Task<Daemon> start_daemon(Command, std::string) override {
    throw Error(ErrorClass::kBug, "none");
  }
  bool alive(const Daemon&) const override { return false; }
  std::optional<Daemon> find(int pid) const override {
    return running.contains(pid) ? std::optional(Daemon{pid, running.at(pid)}) : std::nullopt;
  }
  Task<void> stop(Daemon, Duration) override { co_return; }
  void kill_all() override {}

  std::map<int, uint64_t> running;  // pid -> start time
};

class NoHttp final : public Http {
 public:
  Task<HttpResponse> send(HttpRequest) override {
    throw Error(ErrorClass::kBug, "no network here");
  }
};

class DiskFiles final : public Files {
 public:
  FileKind kind(const std::string& path) const override {
    if (!std::filesystem::exists(path)) return FileKind::kMissing;
    return std::filesystem::is_directory(path) ? FileKind::kFolder : FileKind::kFile;
  }
  std::string read(const std::string& path, size_t) const override {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw Error(ErrorClass::kPermanent, "cannot read " + path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write(const std::string& path, std::string_view content, int mode) override {
    int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (file < 0) throw Error(ErrorClass::kPermanent, "cannot write " + path);
    ssize_t written = ::write(file, content.data(), content.size());
    ::close(file);
    if (written != static_cast<ssize_t>(content.size()))
      throw Error(ErrorClass::kPermanent, "cannot write " + path);
  }
  void make_folders(const std::string& path, int) override {
    std::filesystem::create_directories(path);
  }
  void rename(const std::string& from, const std::string& to) override {
    std::filesystem::rename(from, to);
  }
  void remove_all(const std::string& path) override { std::filesystem::remove_all(path); }
  std::vector<std::string> list(const std::string& path) const override {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  bool executable(const std::string& path) const override {
    return ::access(path.c_str(), X_OK) == 0;
  }
  std::unique_ptr<FileLock> try_lock(const std::string& path) override {
    int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) throw Error(ErrorClass::kPermanent, "cannot lock " + path);
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return std::make_unique<Held>(file);
    ::close(file);
    return nullptr;
  }

 private:
  class Held final : public FileLock {
   public:
    explicit Held(int file) : file_(file) {}
    ~Held() override { ::close(file_); }

   private:
    int file_;
  };
};

class TestEnvironment final : public Environment {
 public:
  std::optional<std::string> get(const std::string&) const override { return std::nullopt; }
  std::map<std::string, std::string> all() const override { return {}; }
  std::string working_directory() const override { return "/"; }
  std::string executable_path() const override { return "/blackstart"; }
  std::string user() const override { return "anna"; }
  std::string host() const override { return "host7"; }
  int pid() const override { return our_pid; }
  int free_port() override { return 0; }

  int our_pid = 4242;
};

class InlineBlocking final : public Blocking {
 public:
  Task<void> run(std::function<void()> work) override {
    ++calls;
    work();
    co_return;
  }

  int calls = 0;
};

/// A test with a folder of its own, removed at its end.
class WorldTest : public testing::Test {
 protected:
  WorldTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "blackstart-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~WorldTest() override { std::filesystem::remove_all(folder); }

  /// Runs `task`, and whatever it started, to the end; rethrows its failure.
  template <class T>
  T await(Task<T> task) {
    std::optional<T> result;
    finish([](Task<T> inner, std::optional<T>& slot) -> Task<void> {
      slot.emplace(co_await std::move(inner));
    }(std::move(task), result));
    return std::move(*result);
  }
  void await(Task<void> task) { finish(std::move(task)); }

  /// Runs what was started in the background.
  void drain() {
    loop.restart();
    loop.run();
  }

  std::string folder;
  boost::asio::io_context loop;
  ManualClock clock;
  CountingRandom random;
  NoProcesses processes;
  NoHttp http;
  DiskFiles files;
  TestEnvironment environment;
  InlineBlocking blocking;
  World world{clock, random, processes, http, files, environment, blocking, loop.get_executor()};

 private:
  void finish(Task<void> task) {
    std::exception_ptr failure;
    boost::asio::co_spawn(loop, std::move(task),
                          [&failure](std::exception_ptr error) { failure = error; });
    drain();
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace blackstart::journal
