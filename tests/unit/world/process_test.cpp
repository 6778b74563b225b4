#include "orchestrator/world/process.h"

#include <signal.h>
#include <sys/stat.h>

#include "tests/unit/world/real_world_fixture.h"

namespace blackstart {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<void> run_only(World& world, Command command) {
  co_await world.processes.run(std::move(command));
}

bool exists(int pid) { return ::kill(pid, 0) == 0; }

Task<void> kill_soon(World& world) {
  co_await world.clock.sleep_until(world.clock.now() + milliseconds(200));
  world.processes.kill_all();
}

Task<Exit> run_and_kill(World& world, Command command) {
  TaskGroup group(world.executor);
  group.spawn(kill_soon(world));
  Exit exit = co_await world.processes.run(std::move(command));
  co_await group.join();
  co_return exit;
}

class ProcessTest : public RealWorldTest {
 protected:
  Exit run_shell(std::string script) {
    return result_of(world().processes.run(shell(std::move(script))));
  }

  // Runs `command` and cancels it after `delay`; what it ended with.
  Error cancelled_after(Duration delay, Command command) {
    try {
      run(within(world().clock, world().clock.now() + delay, "out of time",
                 run_only(world(), std::move(command))));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was not cancelled";
    return Error(ErrorClass::kBug, "none");
  }
};

TEST_F(ProcessTest, ReportsExitCodeAndBothStreams) {
  Exit exit = run_shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(exit.code, 3);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_EQ(exit.out, "out\n");
  EXPECT_EQ(exit.err, "err\n");
  EXPECT_FALSE(exit.ok());
  EXPECT_FALSE(exit.truncated);
  EXPECT_EQ(exit.describe(), "exit code 3");
}

TEST_F(ProcessTest, ReportsTheSignalThatEndedIt) {
  Exit exit = run_shell("kill -9 $$");
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_FALSE(exit.ok());
  EXPECT_EQ(exit.describe(), "killed by signal 9");
}

TEST_F(ProcessTest, GivesExactlyTheEnvironmentAndFolderAsked) {
  Command command{.program = "/usr/bin/env", .environment = {{"A", "1"}, {"B", "two words"}}};
  EXPECT_EQ(result_of(world().processes.run(command)).out, "A=1\nB=two words\n");
  Command pwd = shell("pwd");
  pwd.working_directory = "/usr";
  EXPECT_EQ(result_of(world().processes.run(pwd)).out, "/usr\n");
}

TEST_F(ProcessTest, PassesArgumentsUntouchedAndChoosesArgv0) {
  Command command{.program = "/bin/sh", .args = {"-c", "echo \"$0|$1\"", "a b", "$(c) 'd'"}};
  EXPECT_EQ(result_of(world().processes.run(command)).out, "a b|$(c) 'd'\n");
  Command named{.program = "/bin/cat", .args = {"/proc/self/cmdline"}, .argv0 = "other-name"};
  EXPECT_EQ(result_of(world().processes.run(named)).out,
            std::string("other-name\0/proc/self/cmdline\0", 30));
}

TEST_F(ProcessTest, InheritsNoDescriptorOfOurs) {
  int ours = ::dup(0);  // without close-on-exec
  Command command{.program = "/bin/ls", .args = {"/proc/self/fd"}};
  EXPECT_EQ(result_of(world().processes.run(command)).out, "0\n1\n2\n3\n");  // 3 is ls's own
  ::close(ours);
}

TEST_F(ProcessTest, FeedsStdinAndClosesIt) {
  Command command{.program = "/bin/cat", .input = std::string(3 << 20, 'x')};
  Exit exit = result_of(world().processes.run(command));
  EXPECT_TRUE(exit.ok());
  EXPECT_EQ(exit.out.size(), size_t{3} << 20);
  EXPECT_FALSE(exit.truncated);
}

TEST_F(ProcessTest, AProgramThatIgnoresItsInputDoesNotKillUs) {
  Command command = shell("exit 0");
  command.input = std::string(3 << 20, 'x');
  EXPECT_TRUE(result_of(world().processes.run(command)).ok());
}

TEST_F(ProcessTest, WithoutInputStdinIsEmpty) {
  EXPECT_EQ(result_of(world().processes.run({.program = "/bin/cat"})).out, "");
}

TEST_F(ProcessTest, KeepsTheEndOfLargeOutputAndSaysThatItIsCut) {
  Command command = shell("i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done");
  command.output_limit = 1000;
  size_t lines = 0;
  command.on_line = [&](Stream, std::string_view) { ++lines; };
  Exit exit = result_of(world().processes.run(command));
  EXPECT_TRUE(exit.truncated);
  EXPECT_EQ(exit.out.size(), 1000u);
  EXPECT_TRUE(exit.out.ends_with("line-19999\n"));
  EXPECT_EQ(lines, 20000u);
}

TEST_F(ProcessTest, StreamsLinesWhileItRuns) {
  Command command = shell("echo first; sleep 0.3; printf 'last'");
  std::vector<std::pair<std::string, Instant>> lines;
  command.on_line = [&](Stream stream, std::string_view line) {
    EXPECT_EQ(stream, Stream::kStdout);
    lines.emplace_back(line, world().clock.now());
  };
  run_shell("true");
  result_of(world().processes.run(command));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].first, "first");
  EXPECT_EQ(lines[1].first, "last");
  EXPECT_GE(lines[1].second - lines[0].second, milliseconds(200));
}

TEST_F(ProcessTest, CutsEndlessLinesIntoPieces) {
  Command command = shell("head -c 200000 /dev/zero | tr '\\0' a; echo; echo b");
  std::vector<size_t> sizes;
  command.on_line = [&](Stream, std::string_view line) { sizes.push_back(line.size()); };
  result_of(world().processes.run(command));
  EXPECT_EQ(sizes, (std::vector<size_t>{65536, 65536, 65536, 3392, 1}));
}

TEST_F(ProcessTest, NamesAProgramThatCannotBeStarted) {
  Error missing = error_of(world().processes.run({.program = "/no/such/tool"}));
  EXPECT_EQ(missing.error_class(), ErrorClass::kPermanent);
  EXPECT_EQ(missing.full_text(), "cannot start /no/such/tool: No such file or directory");
  Error not_executable = error_of(world().processes.run({.program = "/etc/passwd"}));
  EXPECT_EQ(not_executable.full_text(), "cannot start /etc/passwd: Permission denied");
  Command folder{.program = "/bin/true", .working_directory = "/no/such/folder"};
  EXPECT_EQ(error_of(world().processes.run(folder)).full_text(),
            "cannot start /bin/true: its working directory /no/such/folder is not a folder");
}

TEST_F(ProcessTest, CancellationTerminatesTheWholeGroup) {
  // The shell and its child both write their number; neither may be left.
  std::string file = path("pids");
  Command command = shell("echo $$ > " + file + "; sleep 60 & echo $! >> " + file + "; wait");
  Duration took = elapsed([&] {
    EXPECT_EQ(cancelled_after(milliseconds(1000), command).error_class(), ErrorClass::kDeadline);
  });
  EXPECT_LT(took, seconds(5));
  auto pids = split(world().files.read(file, 100), '\n');
  ASSERT_GE(pids.size(), 2u);
  EXPECT_FALSE(exists(std::stoi(pids[0])));                  // reaped
  EXPECT_FALSE(world().processes.find(std::stoi(pids[1])));  // dead; its new parent reaps it
}

TEST_F(ProcessTest, CancellationKillsAfterTheGraceOfAProgramThatIgnoresTerm) {
  Command command = shell("trap '' TERM; while :; do sleep 0.1; done");
  command.grace = milliseconds(400);
  // A second: what comes before the trap is set would end the program.
  Duration took = elapsed([&] { cancelled_after(milliseconds(1000), command); });
  EXPECT_GE(took, milliseconds(1390));
  EXPECT_LT(took, seconds(5));
}

TEST_F(ProcessTest, CancellationGivesTimeToCleanUp) {
  std::string file = path("cleaned");
  Command command =
      shell("trap 'sleep 0.2; echo yes > " + file + "; exit 1' TERM; while :; do sleep 0.05; done");
  cancelled_after(milliseconds(1000), command);
  EXPECT_EQ(world().files.read(file, 100), "yes\n");
}

TEST_F(ProcessTest, AGrandchildThatKeepsThePipeOpenDoesNotHoldUsUp) {
  Exit exit;
  Duration took = elapsed([&] { exit = run_shell("setsid sleep 30 & echo $!"); });
  EXPECT_TRUE(exit.ok());
  EXPECT_GE(took, milliseconds(1900));
  EXPECT_LT(took, seconds(6));
  ::kill(std::stoi(exit.out), SIGKILL);
}

TEST_F(ProcessTest, KillAllEndsRunningProcessesAtOnce) {
  Exit exit;
  Duration took =
      elapsed([&] { exit = result_of(run_and_kill(world(), shell("trap '' TERM; sleep 60"))); });
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_LT(took, seconds(5));
}

TEST(Command, DisplaysAsOneWouldTypeIt) {
  Command command{.program = "/bin/x", .args = {"a", "b c", "", "it's"}};
  EXPECT_EQ(command.display(), "/bin/x a 'b c' '' 'it'\\''s'");
}

TEST(Exit, LastLinesPreferStderrAndSkipEmptyOnes) {
  Exit exit{.out = "o1\no2\n", .err = "e1\n\ne2\r\ne3\n"};
  EXPECT_EQ(exit.last_lines(2), (std::vector<std::string>{"e2", "e3"}));
  exit.err = " \n";
  EXPECT_EQ(exit.last_lines(5), (std::vector<std::string>{"o1", "o2"}));
}

}  // namespace
}  // namespace blackstart
