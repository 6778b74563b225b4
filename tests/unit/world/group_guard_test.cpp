#include "orchestrator/world/group_guard.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "orchestrator/world/proc_stat.h"
#include "tests/unit/world/real_world_fixture.h"

namespace blackstart {
namespace {

using real::GroupGuard;

// Waits for something another process does.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 500 && !condition(); ++i) ::usleep(20'000);
  return condition();
}

bool lives(int pid) {
  auto stat = real::read_proc_stat(pid);
  return stat && !stat->ended();
}

/// A process forked from this test, in a group of its own; killed and reaped when destroyed. It
/// does `work`, which must not return to the test, or waits.
class Forked {
 public:
  explicit Forked(const std::function<void()>& work = {}) : pid_(::fork()) {
    if (pid_ != 0) {
      ::setpgid(pid_, pid_);
      return;
    }
    ::setpgid(0, 0);
    if (work) work();
    while (true) ::pause();
  }
  ~Forked() { kill(); }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  int pid() const { return pid_; }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  int pid_;
};

TEST(GroupGuard, KillsWhatIsOnItsListWhenWeAreKilled) {
  Forked removed;
  Forked first;
  Forked second;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Forked we([&] {
    GroupGuard guard;
    for (const Forked* group : {&removed, &first, &second}) guard.add(group->pid());
    guard.remove(removed.pid());
    int pid = guard.pid();
    EXPECT_EQ(::write(ends[1], &pid, sizeof(pid)), ssize_t{sizeof(pid)});
    while (true) ::pause();
  });
  int guard = 0;
  ASSERT_EQ(::read(ends[0], &guard, sizeof(guard)), ssize_t{sizeof(guard)});
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_TRUE(lives(guard));
  we.kill();
  EXPECT_TRUE(comes_true([&] { return !lives(first.pid()) && !lives(second.pid()); }));
  EXPECT_TRUE(comes_true([&] { return !lives(guard); }));
  EXPECT_TRUE(lives(removed.pid()));
}

TEST(GroupGuard, EndsWithItsOwnerAndLeavesNoZombie) {
  std::optional<GroupGuard> guard(std::in_place);
  int pid = guard->pid();
  ASSERT_GT(pid, 0);
  Forked holds_the_pipe_too;
  guard.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(GroupGuard, HoldsNothingOfOurs) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  GroupGuard first;
  GroupGuard second;
  ::close(ends[1]);
  pollfd reader{.fd = ends[0], .events = POLLIN};
  EXPECT_EQ(::poll(&reader, 1, 10'000), 1);  // at its end, with both guards there
  EXPECT_TRUE(reader.revents & POLLHUP);
  ::close(ends[0]);
  auto open_files = [](int pid) {
    std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
    return std::distance(begin(files), end(files));
  };
  for (int pid : {first.pid(), second.pid()}) {
    EXPECT_TRUE(comes_true([&] { return open_files(pid) == 1; })) << open_files(pid);
    EXPECT_TRUE(lives(pid));
  }
}

class GuardedProcessTest : public RealWorldTest {
 protected:
  // A program whose grandchild writes its number to the file `name`, and stays.
  std::string nested(const std::string& name) {
    return "sh -c 'sh -c \"echo \\$\\$ > " + path(name) + "; sleep 60; true\"; true'; true";
  }

  int number_in(const std::string& name) {
    bool there = comes_true([&] {
      return world().files.kind(path(name)) == FileKind::kFile &&
             world().files.read(path(name), 20).ends_with("\n");
    });
    return there ? std::stoi(world().files.read(path(name), 20)) : 0;
  }

  // In a process like ours: runs the scripts one after the other.
  void run_as_another(std::vector<std::string> scripts) {
    RealWorld real;
    for (const std::string& script : scripts) {
      auto work = [](World& there, Command command) -> Task<void> {
        co_await there.processes.run(std::move(command));
      };
      real.run(work(real.world(), shell(script)), {});
    }
    ::_exit(0);
  }
};

TEST_F(GuardedProcessTest, WhenWeAreKilledTheWholeGroupDies) {
  Forked we([&] { run_as_another({nested("inner")}); });
  int inner = number_in("inner");
  ASSERT_GT(inner, 0);
  int group = ::getpgid(inner);
  // What is for us, from a terminal or a supervisor, is not for the guard.
  for (int signal : {SIGHUP, SIGINT, SIGTERM}) ::kill(-we.pid(), signal);
  ASSERT_TRUE(lives(we.pid()));
  EXPECT_TRUE(lives(inner));
  ::kill(-we.pid(), SIGKILL);
  we.kill();
  EXPECT_TRUE(comes_true([&] { return !lives(inner); }));
  ::kill(-group, SIGKILL);
}

TEST_F(GuardedProcessTest, WhoIsLeftOfAProgramThatEndedSurvivesUs) {
  std::string leaves_one = "sleep 60 >/dev/null 2>&1 & echo $! > " + path("left");
  Forked we([&] { run_as_another({leaves_one, nested("inner")}); });
  int left = number_in("left");
  int inner = number_in("inner");
  ASSERT_GT(inner, 0);
  we.kill();
  EXPECT_TRUE(comes_true([&] { return !lives(inner); }));
  EXPECT_TRUE(lives(left));
  ::kill(left, SIGKILL);
}

TEST_F(GuardedProcessTest, WhoKillsUsByNameDoesNotKillTheGuardAlong) {
  GroupGuard guard;
  std::string folder = "/proc/" + std::to_string(guard.pid()) + "/";
  auto is = [&](const std::string& file, const std::string& text) {
    return world().files.read(folder + file, 1 << 16).starts_with(text);
  };
  EXPECT_TRUE(comes_true([&] { return is("comm", "group-guard\n"); }));
  EXPECT_TRUE(comes_true([&] { return is("cmdline", std::string("group-guard\0\0", 13)); }));
  EXPECT_EQ(world().files.read(folder + "cmdline", 1 << 16).find("gtest"), std::string::npos);
}

}  // namespace
}  // namespace blackstart
