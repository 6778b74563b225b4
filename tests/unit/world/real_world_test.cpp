#include "orchestrator/world/real.h"

#include <signal.h>

#include <thread>

#include "orchestrator/world/failpoint.h"
#include "tests/unit/world/real_world_fixture.h"
#include "tests/unit/world/test_server.h"

namespace blackstart {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<void> wait_for(Event& event) { co_await event.wait(); }

Task<void> raise_and_wait(World& world, std::vector<int> signals, Event& enough) {
  for (int signal : signals) {
    ::raise(signal);
    co_await world.clock.sleep_until(world.clock.now() + milliseconds(20));
  }
  co_await wait_for(enough);
}

TEST(RealWorld, CallsBackForEverySignalAndRunsOn_ASecondHangupIsNoGreaterHurry) {
  ::signal(SIGHUP, SIG_DFL);  // whatever the tests were started with
  RealWorld real;
  Event enough(real.world().executor);
  std::vector<std::pair<int, int>> seen;
  real.run(raise_and_wait(real.world(), {SIGHUP, SIGHUP, SIGTERM, SIGPIPE, SIGINT}, enough),
           [&](int signal, int count) {
             seen.emplace_back(signal, count);
             if (count == 3) enough.set();
           });
  EXPECT_EQ(seen, (std::vector<std::pair<int, int>>{
                      {SIGHUP, 1}, {SIGHUP, 1}, {SIGTERM, 2}, {SIGINT, 3}}));
}

TEST(RealWorld, AHangupThatNohupIgnores_StaysIgnored) {
  ::signal(SIGHUP, SIG_IGN);
  RealWorld real;
  Event enough(real.world().executor);
  std::vector<int> seen;
  real.run(raise_and_wait(real.world(), {SIGHUP, SIGTERM}, enough), [&](int signal, int) {
    seen.push_back(signal);
    enough.set();
  });
  ::signal(SIGHUP, SIG_DFL);
  EXPECT_EQ(seen, std::vector{SIGTERM});
}

Task<void> run_command(World& world, Command command) {
  co_await world.processes.run(std::move(command));
}

Task<void> send_request(World& world, HttpRequest request) {
  co_await world.http.send(std::move(request));
}

// Ends while what it started still runs (the command has said its `pid`), as an exception that
// passes a group does.
Task<void> leave_behind(World& world, Command command, HttpRequest request, const int& pid) {
  TaskGroup group(world.executor);
  group.spawn(run_command(world, std::move(command)));
  group.spawn(send_request(world, std::move(request)));
  group.spawn(world.blocking.run([] { ::usleep(50'000); }));
  do {
    co_await world.clock.sleep_until(world.clock.now() + milliseconds(200));
  } while (pid == 0);
  throw Error(ErrorClass::kConflict, "left behind");
}

TEST(RealWorld, WhatIsLeftBehindDiesWithIt) {
  test::TestServer silent([](test::Connection& connection) { connection.wait_until_closed(); });
  auto real = std::make_unique<RealWorld>();
  int pid = 0;
  Command command{.program = "/bin/sh", .args = {"-c", "echo $$; exec sleep 60"}};
  command.on_line = [&pid](Stream, std::string_view line) { pid = std::stoi(std::string(line)); };
  HttpRequest request{.url = silent.url()};
  EXPECT_THROW(real->run(leave_behind(real->world(), command, request, pid), {}), Error);
  ASSERT_NE(pid, 0);
  EXPECT_EQ(::kill(pid, 0), 0);
  real.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
}

class BlockingTest : public RealWorldTest {};

Task<void> ticks(World& world, std::vector<std::string>& log) {
  for (int i = 0; i < 3; ++i) {
    co_await world.clock.sleep_until(world.clock.now() + milliseconds(20));
    log.push_back("tick");
  }
}

Task<void> block_and_tick(World& world, std::vector<std::string>& log) {
  TaskGroup group(world.executor);
  std::thread::id worker;
  group.spawn(ticks(world, log));
  auto work = [&worker] {
    ::usleep(200'000);
    worker = std::this_thread::get_id();
  };
  co_await world.blocking.run(work);
  log.push_back("done");
  EXPECT_NE(worker, std::this_thread::get_id());
  co_await group.join();
}

TEST_F(BlockingTest, TheLoopGoesOnMeanwhile) {
  std::vector<std::string> log;
  run(block_and_tick(world(), log));
  EXPECT_EQ(log, (std::vector<std::string>{"tick", "tick", "tick", "done"}));
}

TEST_F(BlockingTest, ExceptionsArriveAtTheAwaiter) {
  auto work = [] { throw Error(ErrorClass::kConflict, "in the pool"); };
  EXPECT_EQ(error_of(world().blocking.run(work)).summary(), "in the pool");
}

TEST_F(BlockingTest, WorkEndsBeforeItsCancelledAwaiterGoesOn) {
  bool ended = false;
  auto work = [&ended] {
    ::usleep(200'000);
    ended = true;
  };
  run(within(world().clock, world().clock.now() + milliseconds(20), "late",
             world().blocking.run(work)));
  EXPECT_TRUE(ended);
}

#ifdef BLACKSTART_FAILPOINTS

class FailpointTest : public RealWorldTest {
 protected:
  // This test program again, doing nothing but the test below, under these variables.
  Exit run_child(std::map<std::string, std::string> variables) {
    variables["TMPDIR"] = path("");  // what it leaves when it is killed goes with ours
    Command command{
        .program = world().environment.executable_path(),
        .args = {"--gtest_filter=FailpointTest.DISABLED_Child", "--gtest_also_run_disabled_tests"},
        .environment = std::move(variables)};
    return result_of(world().processes.run(command));
  }
};

Task<void> pass_failpoints(World& world) {
  Command command{.program = "/bin/true"};
  BLACKSTART_FAILPOINT("first");
  co_await world.processes.run(command);
  co_await world.processes.run(command);
  BLACKSTART_FAILPOINT("last");
}

TEST_F(FailpointTest, DISABLED_Child) { run(pass_failpoints(world())); }

TEST_F(FailpointTest, AreCountedAndKillAtTheirNumber) {
  std::string counted =
      "1 first\n2 process.run.before:true\n3 process.run.after:true\n"
      "4 process.run.before:true\n5 process.run.after:true\n6 last\n";
  EXPECT_TRUE(run_child({{"BLACKSTART_FAILPOINT_COUNT", path("count")}}).ok());
  EXPECT_EQ(world().files.read(path("count"), 1000), counted);
  Exit killed = run_child(
      {{"BLACKSTART_FAILPOINT_COUNT", path("killed")}, {"BLACKSTART_FAILPOINT_KILL", "3"}});
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(world().files.read(path("killed"), 1000), counted.substr(0, counted.find("4 ")));
  EXPECT_TRUE(run_child({{"BLACKSTART_FAILPOINT_KILL", "7"}}).ok());
}

TEST_F(FailpointTest, KillAtTheNumberOfTheirName) {
  Exit killed = run_child({{"BLACKSTART_FAILPOINT_COUNT", path("killed")},
                           {"BLACKSTART_FAILPOINT_KILL", "process.run.after:true#2"}});
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_TRUE(world().files.read(path("killed"), 1000).ends_with("5 process.run.after:true\n"));
  EXPECT_TRUE(run_child({{"BLACKSTART_FAILPOINT_KILL", "process.run.after:true#3"}}).ok());
}

#endif

}  // namespace
}  // namespace blackstart
