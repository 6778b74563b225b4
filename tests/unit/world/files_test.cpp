#include "orchestrator/world/files.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "orchestrator/world/real_parts.h"
#include "orchestrator/world/text_file.h"
#include "tests/unit/world/real_world_fixture.h"

namespace blackstart {
namespace {

class FilesTest : public RealWorldTest {
 protected:
  Files& files() { return world().files; }

  template <class Call>
  std::string failure(Call call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
      return error.full_text();
    }
    return "no failure";
  }

  int mode_of(const std::string& path) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return static_cast<int>(status.st_mode & 0777);
  }
};

TEST_F(FilesTest, WriteReplacesTheWholeFileAndLeavesNothingElse) {
  ::umask(0);  // the mode is the one asked for, whatever the mask
  files().write(path("a"), "first, longer");
  files().write(path("a"), "second");
  files().write(path("b"), "", 0644);
  EXPECT_EQ(files().read(path("a"), 100), "second");
  EXPECT_EQ(files().list(path("")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(mode_of(path("a")), 0600);
  EXPECT_EQ(mode_of(path("b")), 0644);
}

TEST_F(FilesTest, ATextFileIsEmptiedAndTakesEachPieceAtOnce) {
  ::umask(0);
  files().write(path("old"), "what was there", 0644);
  for (const char* name : {"old", "new"}) {
    auto write = open_text_file(path(name));
    EXPECT_EQ(files().read(path(name), 100), "");
    EXPECT_TRUE(write("one\n"));
    EXPECT_EQ(files().read(path(name), 100), "one\n");
    EXPECT_TRUE(write("two\n"));
    EXPECT_EQ(files().read(path(name), 100), "one\ntwo\n");
  }
  EXPECT_EQ(mode_of(path("new")), 0600);
}

TEST_F(FilesTest, ATextFileSaysWhenItCannotBeWrittenAndWhyItCannotBeOpened) {
  EXPECT_FALSE(open_text_file("/dev/full")("text"));
  EXPECT_NE(failure([&] { open_text_file(path("no/file")); }).find("No such file"),
            std::string::npos);
}

TEST_F(FilesTest, AFailedWriteLeavesTheOldFileAndNoTemporaryOne) {
  files().make_folders(path("folder"));
  EXPECT_EQ(failure([&] { files().write(path("folder"), "x"); }),
            "cannot replace " + path("folder") + ": Is a directory");
  EXPECT_EQ(files().list(path("")), (std::vector<std::string>{"folder"}));
  EXPECT_NE(failure([&] { files().write(path("no/file"), "x"); }).find("No such file"),
            std::string::npos);
}

TEST_F(FilesTest, ReadsAreBoundedAndSaySo) {
  files().write(path("a"), "12345");
  EXPECT_EQ(files().read(path("a"), 5), "12345");
  EXPECT_EQ(failure([&] { files().read(path("a"), 4); }),
            "cannot read " + path("a") + ": it is larger than the limit of 4 bytes");
  EXPECT_EQ(failure([&] { files().read(path("missing"), 4); }),
            "cannot read " + path("missing") + ": No such file or directory");
  EXPECT_EQ(failure([&] { files().read(path(""), 4); }),
            "cannot read " + path("") + ": Is a directory");
}

TEST_F(FilesTest, KnowsKindsAndExecutables) {
  files().write(path("file"), "");
  files().write(path("program"), "", 0755);
  std::filesystem::create_symlink("nowhere", path("dangling"));
  ::mkfifo(path("pipe").c_str(), 0600);
  EXPECT_EQ(files().kind(path("file")), FileKind::kFile);
  EXPECT_EQ(files().kind(path("")), FileKind::kFolder);
  EXPECT_EQ(files().kind(path("pipe")), FileKind::kOther);
  EXPECT_EQ(files().kind(path("dangling")), FileKind::kMissing);
  EXPECT_EQ(files().kind(path("file") + "/below"), FileKind::kMissing);
  EXPECT_TRUE(files().executable(path("program")));
  EXPECT_FALSE(files().executable(path("")));
}

TEST_F(FilesTest, APlaceHasOneSpellingWhateverLeadsToIt) {
  files().make_folders(path("real/below"));
  std::filesystem::create_directory_symlink("real", path("link"));
  std::filesystem::create_directory_symlink("nowhere", path("broken"));
  std::string real = std::filesystem::canonical(path("real"));
  for (const char* same : {"real", "./real/", "real//below/..", "link", "link/below/../", "./link"})
    EXPECT_EQ(files().canonical(path(same)), real) << same;
  EXPECT_EQ(files().canonical(path("link/new/./file")), real + "/new/file");
  EXPECT_EQ(files().canonical(path("broken")), path("broken"));
  EXPECT_EQ(files().canonical("/"), "/");
}

TEST_F(FilesTest, MakesRenamesAndRemovesFolders) {
  files().make_folders(path("a/b/old"));
  files().rename(path("a/b/old"), path("a/b/c"));
  EXPECT_EQ(files().list(path("a/b")), (std::vector<std::string>{"c"}));
  EXPECT_EQ(failure([&] { files().rename(path("a/b/old"), path("x")); }),
            "cannot rename " + path("a/b/old") + ": No such file or directory");
  files().make_folders(path("a/b/c"));
  EXPECT_EQ(files().kind(path("a/b/c")), FileKind::kFolder);
  files().write(path("a/file"), "");
  EXPECT_NE(failure([&] { files().make_folders(path("a/file/b")); }), "no failure");
  files().remove_all(path("a"));
  files().remove_all(path("a"));
  EXPECT_EQ(files().kind(path("a")), FileKind::kMissing);
}

// Tries to take the lock in a process of its own.
bool another_process_gets(const std::string& path) {
  pid_t child = ::fork();
  if (child == 0) {
    auto files = real::make_files();
    ::_exit(files->try_lock(path) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(FilesTest, ALockKeepsOthersOutUntilItsHolderIsGone) {
  auto lock = files().try_lock(path("lock"));
  ASSERT_NE(lock, nullptr);
  EXPECT_EQ(files().try_lock(path("lock")), nullptr);
  EXPECT_FALSE(another_process_gets(path("lock")));
  lock.reset();
  EXPECT_TRUE(another_process_gets(path("lock")));
}

TEST_F(FilesTest, ALockIsNotInheritedByToolsAndDaemons) {
  auto lock = files().try_lock(path("lock"));
  Command command{.program = "/bin/sleep", .args = {"60"}};
  Daemon daemon = result_of(world().processes.start_daemon(command, path("log")));
  lock.reset();
  EXPECT_TRUE(another_process_gets(path("lock")));
  run(world().processes.stop(daemon, std::chrono::seconds(5)));
}

TEST_F(FilesTest, ALockedFileThatIsReplacedIsNoLock) {
  auto lock = files().try_lock(path("lock"));
  files().remove_all(path("lock"));
  EXPECT_NE(files().try_lock(path("lock")), nullptr);  // another file, so another lock
}

TEST_F(FilesTest, FreePortsAreNeverGivenTwice) {
  std::set<int> ports;
  for (int i = 0; i < 500; ++i) ports.insert(world().environment.free_port());
  EXPECT_EQ(ports.size(), 500u);
}

TEST_F(FilesTest, FreePortsAreNoneThatAnOutgoingConnectionMayTake) {
  int first_outgoing = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_outgoing;
  if (first_outgoing < 21000) GTEST_SKIP() << "NOT RUN: this machine leaves no room below";
  for (int i = 0; i < 100; ++i) {
    int port = world().environment.free_port();
    EXPECT_GE(port, 20000);
    EXPECT_LT(port, first_outgoing);
  }
}

/// Draws the numbers that it was given, then zero.
class GivenRandom final : public Random {
 public:
  explicit GivenRandom(std::vector<double> numbers) : numbers_(std::move(numbers)) {}
  double uniform() override { return next_ < numbers_.size() ? numbers_[next_++] : 0.0; }
  std::string bytes(size_t count) override { return std::string(count, '\0'); }

 private:
  std::vector<double> numbers_;
  size_t next_ = 0;
};

TEST_F(FilesTest, APortThatASocketIsBoundToIsPassedOver) {
  for (in_addr_t address : {INADDR_LOOPBACK, INADDR_ANY}) {
    double drawn = 0;
    int port = 0, taker = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (bool bound = false; !bound;) {
      drawn = world().random.uniform();
      GivenRandom once({drawn});
      port = real::make_environment(once)->free_port();
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_port = htons(static_cast<uint16_t>(port));
      name.sin_addr.s_addr = htonl(address);
      bound = ::bind(taker, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
    }
    GivenRandom again({drawn, world().random.uniform()});
    EXPECT_NE(real::make_environment(again)->free_port(), port);
    ::close(taker);
  }
}

TEST_F(FilesTest, TheEnvironmentIsThisProcess) {
  EXPECT_EQ(world().environment.pid(), ::getpid());
  EXPECT_TRUE(world().environment.executable_path().ends_with("_tests"));
  EXPECT_FALSE(world().environment.user().empty());
  EXPECT_FALSE(world().environment.host().empty());
  EXPECT_EQ(world().environment.get("BLACKSTART_NO_SUCH_VARIABLE"), std::nullopt);
}

TEST_F(FilesTest, RandomBytesDiffer) {
  EXPECT_EQ(world().random.bytes(40).size(), 40u);
  EXPECT_NE(world().random.bytes(16), world().random.bytes(16));
  for (int i = 0; i < 100; ++i) {
    double number = world().random.uniform();
    EXPECT_GE(number, 0.0);
    EXPECT_LT(number, 1.0);
  }
}

}  // namespace
}  // namespace blackstart
