#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/world/real_world_fixture.h"

namespace blackstart {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Waits, from outside the loop, for something another process does.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 250 && !condition(); ++i) ::usleep(20'000);
  return condition();
}

Task<void> sleep_for(World& world, Duration duration) {
  co_await world.clock.sleep_until(world.clock.now() + duration);
}

class DaemonTest : public RealWorldTest {
 protected:
  Processes& processes() { return world().processes; }
  Daemon start(Command command) {
    return result_of(processes().start_daemon(std::move(command), path("log")));
  }
  std::string log() { return world().files.read(path("log"), 1 << 20); }
};

TEST_F(DaemonTest, RunsOnItsOwnAndAppendsToItsLog) {
  world().files.write(path("log"), "before\n");
  Daemon daemon =
      start(shell("echo out; echo err >&2; ps -o sid= -p $$ | tr -d ' '; exec sleep 60"));
  EXPECT_TRUE(comes_true([&] { return log().ends_with(std::to_string(daemon.pid) + "\n"); }))
      << log();
  EXPECT_TRUE(log().starts_with("before\nout\nerr\n")) << log();
  EXPECT_TRUE(processes().alive(daemon));
  EXPECT_EQ(processes().find(daemon.pid)->start_time, daemon.start_time);
  run(processes().stop(daemon, seconds(5)));
  EXPECT_FALSE(processes().alive(daemon));
}

TEST_F(DaemonTest, ItsLogIsForItsOwnerOnly) {
  Daemon daemon = start({.program = "/bin/sleep", .args = {"60"}});
  struct stat status {};
  ::stat(path("log").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  run(processes().stop(daemon, seconds(5)));
}

TEST_F(DaemonTest, ThatCannotBeStartedSaysSo) {
  Error error = error_of(processes().start_daemon({.program = "/no/such/etcd"}, path("log")));
  EXPECT_EQ(error.full_text(), "cannot start /no/such/etcd: No such file or directory");
  Command sleeping{.program = "/bin/sleep", .args = {"60"}};
  Error no_log = error_of(processes().start_daemon(sleeping, path("no/log")));
  EXPECT_EQ(no_log.error_class(), ErrorClass::kPermanent);
}

TEST_F(DaemonTest, ThatDiesIsReapedAndNotAlive) {
  Daemon daemon = start({.program = "/bin/sleep", .args = {"0.1"}});
  EXPECT_TRUE(comes_true([&] { return !processes().alive(daemon); }));  // a zombie counts as dead
  run(sleep_for(world(), milliseconds(100)));
  EXPECT_EQ(::kill(daemon.pid, 0), -1);  // and now it is not even that
}

TEST_F(DaemonTest, ALaterProcessWithTheSameNumberIsAnotherOne) {
  Daemon daemon = start({.program = "/bin/sleep", .args = {"60"}});
  Daemon other{daemon.pid, daemon.start_time + 1};
  EXPECT_FALSE(processes().alive(other));
  run(processes().stop(other, seconds(5)));
  EXPECT_TRUE(processes().alive(daemon));
  run(processes().stop(daemon, seconds(5)));
  EXPECT_FALSE(processes().alive(daemon));
}

TEST_F(DaemonTest, StopKillsAfterTheGraceWithAllThatItStarted) {
  Daemon daemon = start(shell("trap '' TERM; sleep 60 & echo $!; while :; do sleep 0.1; done"));
  ASSERT_TRUE(comes_true([&] { return log().ends_with("\n"); }));
  int child = std::stoi(log());
  Duration took = elapsed([&] { run(processes().stop(daemon, milliseconds(300))); });
  EXPECT_GE(took, milliseconds(290));
  EXPECT_LT(took, seconds(5));
  EXPECT_FALSE(processes().alive(daemon));
  EXPECT_FALSE(processes().find(child));
}

TEST_F(DaemonTest, StopTakesAlongWhoLeftTheGroupButNotTheSession) {
  // With job control a shell puts its jobs into groups of their own.
  Command jobs{.program = "/bin/bash", .args = {"-c", "set -m; /bin/sleep 60 & echo $!; wait"}};
  Daemon daemon = start(jobs);
  ASSERT_TRUE(comes_true([&] { return log().ends_with("\n"); }));
  int child = std::stoi(log());
  ASSERT_NE(::getpgid(child), daemon.pid);
  run(processes().stop(daemon, seconds(5)));
  EXPECT_FALSE(processes().find(child));
}

TEST_F(DaemonTest, StoppingWhatIsGoneIsFine) {
  Daemon daemon = start({.program = "/bin/true"});
  ASSERT_TRUE(comes_true([&] { return !processes().alive(daemon); }));
  run(processes().stop(daemon, seconds(5)));
}

// A process like ours that starts a daemon and a child and is then killed.
[[noreturn]] void start_both_and_wait(const std::string& folder) {
  RealWorld real;
  auto work = [](World& world, std::string where) -> Task<void> {
    Command sleeping{.program = "/bin/sleep", .args = {"61"}};
    Daemon daemon = co_await world.processes.start_daemon(sleeping, where + "/log");
    world.files.write(where + "/daemon", std::to_string(daemon.pid));
    Command child{.program = "/bin/sh",
                  .args = {"-c", "echo $$ > " + where + "/child; exec sleep 62"}};
    co_await world.processes.run(child);
  };
  real.run(work(real.world(), folder), {});
  ::_exit(0);
}

TEST_F(DaemonTest, WhenWeAreKilledChildrenDieAndDaemonsLive) {
  pid_t we = ::fork();
  if (we == 0) start_both_and_wait(path(""));
  auto number_in = [&](const std::string& name) {
    return std::stoi("0" + world().files.read(path(name), 20));
  };
  ASSERT_TRUE(comes_true([&] {
    return world().files.kind(path("child")) == FileKind::kFile && number_in("child") != 0;
  }));
  int child = number_in("child");
  auto daemon = processes().find(number_in("daemon"));
  ASSERT_TRUE(daemon);
  EXPECT_TRUE(processes().find(child));
  ::kill(we, SIGKILL);
  ::waitpid(we, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return !processes().find(child); }));
  EXPECT_TRUE(processes().alive(*daemon));
  run(processes().stop(*daemon, seconds(5)));  // not our child: nobody tells us but its pidfd
  EXPECT_FALSE(processes().alive(*daemon));
}

}  // namespace
}  // namespace blackstart
