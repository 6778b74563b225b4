// Commands as a user types them, in the real world: what is said, where, and how they end.
#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/events/debug_log.h"
#include "orchestrator/journal/journal.h"
#include "tests/unit/cli/commands.h"

namespace blackstart::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t count_in(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

constexpr const char* kTouch =
    "  stages:\n    - {name: touch, uses: exec, with: {argv: [touch, made], check: [test, -e, "
    "made]}}\n";

TEST_F(Commands, OnePlan_HasOneStateFolderHoweverItsPathIsWritten) {
  write_plan(kTouch);
  fs::create_directory_symlink("lab", folder_ / "link");
  ASSERT_EQ(setenv("XDG_STATE_HOME", folder_.c_str(), 1), 0);
  for (const char* path : {"plan.yaml", "./plan.yaml", ".", "../lab", "../lab/below/../plan.yaml",
                           "../link/plan.yaml"})
    EXPECT_EQ(say_all({"apply", path}).code, kExitDone) << path;
  unsetenv("XDG_STATE_HOME");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "blackstart"), {}), 1);
}

TEST_F(Commands, ValidateSeesWhatCanBeNoCommandAndNoLabel) {
  write_plan(
      "  stages:\n"
      "    - {name: a, uses: exec, with: {argv: []}}\n"
      "    - {name: b, uses: exec, with: {argv: [x], env: {NUM: 3}}}\n"
      "    - {name: c, uses: kube.namespace, with: {name: lab, labels: {tier: 1}}}\n");
  Said said = say_all({"validate"});
  EXPECT_EQ(said.code, kExitUsage);
  EXPECT_THAT(said.out, HasSubstr("plan.yaml:6:42: error: 'argv' must not be empty\n"));
  EXPECT_THAT(said.out, HasSubstr("plan.yaml:7:58: error: 'NUM' must be a string, not an integer"));
  EXPECT_THAT(said.out,
              HasSubstr("plan.yaml:8:72: error: 'tier' must be a string, not an integer"));
}

TEST_F(Commands, EventsThatCannotBeWritten_AreSaidOnceAndTheRunGoesOn) {
  write_plan(kTouch);
  Said said = say({"apply", "--events", "/dev/full"});
  EXPECT_EQ(said.code, kExitDone) << said.err;
  EXPECT_TRUE(fs::exists(folder_ / "lab/made"));
  EXPECT_EQ(count_in(said.err, "the event stream breaks off: /dev/full cannot be written"), 1u)
      << said.err;
}

TEST_F(Commands, EventsThatAreWritten_EndWithTheEndOfTheRun) {
  write_plan(kTouch);
  EXPECT_EQ(say({"apply", "--events", "events"}).code, kExitDone);
  std::string text = read(folder_ / "lab/events");
  std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
  EXPECT_THAT(last, HasSubstr("\"type\":\"run.end\""));
}

TEST_F(Commands, EventsOnStdout_HaveItForThemselves) {
  write_plan(kTouch);
  for (const char* command : {"plan", "status", "apply"}) {
    Said said = say({command, "--events", "-"});
    std::istringstream lines(said.out);
    for (std::string line; std::getline(lines, line);)
      EXPECT_TRUE(boost::json::parse(line).is_object()) << command << line;
    EXPECT_THAT(said.out, HasSubstr("\"type\":\"run.end\"")) << command;
    EXPECT_THAT(said.err, HasSubstr("touch")) << command << ": the text for people";
  }
}

TEST_F(Commands, EventsAndJsonOnTheSameStdout_AreRefused) {
  write_plan(kTouch);
  for (const char* command : {"plan", "status"}) {
    Said said = say({command, "--events", "-", "-o", "json"});
    EXPECT_EQ(said.code, kExitUsage);
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, HasSubstr("what to do: write the events to a file: --events FILE"));
  }
  EXPECT_EQ(say({"plan", "--events", "events", "-o", "json"}).code, kExitDone);
}

TEST_F(Commands, AFileThatCannotBeWritten_IsABadArgumentAndPreventsTheRun) {
  write_plan(kTouch);
  struct Case {
    std::vector<std::string> words;
    std::string path;
    std::string why;
  };
  const std::vector<Case> cases = {
      {{"apply", "--events"}, "no such/events", "No such file or directory"},
      {{"apply", "--events"}, "below", "Is a directory"},
      {{"apply", "--events"}, "plan.yaml/events", "Not a directory"},
      {{"apply", "--log-level", "info", "--log-file"}, "no such/log", "No such file or directory"},
      {{"plan", "--out"}, "no such/saved", "No such file or directory"},
      {{"plan", "--out"}, "/proc/saved", "No such file or directory"},
  };
  for (const Case& one : cases) {
    std::vector<std::string> words = one.words;
    words.push_back(one.path);
    Said said = say(words);
    EXPECT_EQ(said.code, kExitUsage) << one.path;
    EXPECT_EQ(said.out, "") << one.path;
    EXPECT_THAT(said.err, HasSubstr("error: " + words[words.size() - 2] + " " + one.path +
                                    " cannot be used\n  because: " + one.why + "\n"));
  }
  std::string plan = read("plan.yaml");
  for (const char* option : {"--out", "--events", "--log-file"}) {
    for (const char* name : {"plan.yaml", "below/../plan.yaml"}) {
      Said said = say({"plan", option, name});
      EXPECT_EQ(said.code, kExitUsage) << option;
      EXPECT_THAT(said.err, HasSubstr(std::string(option) + " names the plan itself: " + name));
    }
  }
  EXPECT_EQ(read("plan.yaml"), plan);
  EXPECT_THAT(say({"plan", "--out", "no such/saved"}).err, HasSubstr("mkdir -p 'no such'\n"));
  EXPECT_THAT(say({"plan", "--out", "below"}).err, HasSubstr("--out below/saved-plan\n"));
  EXPECT_FALSE(fs::exists(folder_ / "lab/made"));
}

TEST_F(Commands, AStateFolderThatCannotBe_IsABadArgument) {
  write_plan(kTouch);
  for (const char* command : {"apply", "destroy", "plan", "status", "runs"}) {
    Said said = say_with_state({command}, "plan.yaml");
    EXPECT_EQ(said.code, kExitUsage) << command;
    EXPECT_EQ(said.err,
              "error: --state names a file: plan.yaml\n"
              "  what to do: name a folder, a new one or that of an earlier run\n");
    EXPECT_EQ(say_with_state({command}, "").code, kExitUsage) << command;
  }
  Said said = say_with_state({"apply"}, "/proc/state");
  EXPECT_EQ(said.code, kExitUsage);
  EXPECT_THAT(said.err, HasSubstr("error: --state /proc/state cannot be used\n"));
}

Task<void> fill(World& world, std::string file) {
  auto opened = co_await journal::open(world, file, false);
  journal::RunInfo run;
  run.id = "r0";
  co_await opened.journal->begin_run(run);
  for (uint64_t i = 1; i <= 400; ++i)
    opened.journal->append_event(i, "needle-" + std::string(400, 'e'));
  co_await opened.journal->end_run("r0", "done", 0);
}

/// Breaks the inner pages of the events' tree: opening does not read them, the next event does.
void break_events(const std::string& file) {
  constexpr size_t kPage = 4096;
  std::string bytes = read(file);
  size_t broken = 0;
  for (size_t at = kPage; at < bytes.size(); at += kPage) {
    bool inner =
        bytes[at] == 2 && std::string_view(bytes).substr(at, kPage).find("r0") != std::string::npos;
    if (!inner) continue;
    bytes.replace(at, kPage, kPage, '\x55');
    ++broken;
  }
  ASSERT_GT(broken, 0u);
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST_F(Commands, DamageOfTheJournalThatIsMetInTheMiddle_IsSaidOnce) {
  write_plan(kTouch);
  {
    RealWorld real;
    real.run(fill(real.world(), journal()), [](int, int) {});
  }
  break_events(journal());
  Said said = say({"apply"});
  EXPECT_EQ(said.code, kExitDone) << said.err;
  EXPECT_EQ(
      count_in(said.err, "the journal was damaged and set aside as " + journal() + ".damaged-"), 1u)
      << said.err;
  EXPECT_THAT(said.err, HasSubstr("only history is lost"));
}

TEST_F(Commands, ADamagedJournalThatIsOnlyRead_IsSaidToBeSo) {
  write_plan(kTouch);
  fs::create_directories(folder_ / "state");
  std::ofstream(journal()) << std::string(8192, 'x');
  for (const char* command : {"status", "plan", "runs"})
    EXPECT_EQ(count_in(say({command}).err, "the journal is damaged, and read as if it were empty"),
              1u)
        << command;
  EXPECT_EQ(read(journal()), std::string(8192, 'x'));
}

TEST_F(Commands, TheHistory_IsShownOfAPlanThatLacksAVariableOrHasMistakes) {
  const std::string vars = "  vars: {x: {type: string, required: true}}\n";
  const std::string uses =
      "  stages:\n    - {name: a, uses: exec, with: {argv: [echo, \"${{ "
      "vars.x }}\"], check: [\"true\"]}}\n";
  write_plan(vars + uses);
  ASSERT_EQ(say({"apply", "--var", "x=1"}).code, kExitDone);
  for (const std::string& spec : {vars + uses, uses, vars + uses + "  bogus: 1\n", std::string()}) {
    write_plan(spec);
    Said said = say({"runs"});
    EXPECT_EQ(said.code, kExitDone) << spec << said.err;
    EXPECT_THAT(said.out, HasSubstr("apply")) << spec;
    EXPECT_EQ(said.err, "") << spec;
  }
  for (bool cut_off : {true, false}) {
    write_plan(cut_off ? "  stages: [" : "");
    if (!cut_off) fs::remove_all(folder_ / "state");
    Said said = say({"runs"});
    EXPECT_EQ(said.code, kExitUsage) << "nobody knows of which environment";
    EXPECT_THAT(said.err, HasSubstr("plan.yaml:"));
  }
}

TEST_F(Commands, Places_AreShownFromWhereTheUserStands) {
  write_plan("  stages:\n    - {name: fails, uses: exec, with: {argv: [\"false\"]}}\n");
  EXPECT_THAT(say({"apply"}).err, HasSubstr("\nplan.yaml:6:46: error: fails: "));
  fs::current_path(folder_ / "lab/below");
  EXPECT_THAT(say({"apply", "../plan.yaml"}).err, HasSubstr("\n../plan.yaml:6:46: error: fails: "));
}

TEST_F(Commands, ASecondPlaceInAMessage_IsShownLikeTheFirst) {
  write_plan(
      "  vars:\n    size: {type: integer}\n  stages:\n"
      "    - {name: a, uses: exec, with: {argv: [\"true\"]}}\n"
      "    - {name: a, uses: exec, with: {argv: [\"true\"]}}\n");
  const std::vector<std::string> words = {"plan", "../plan.yaml", "--var", "size=big"};
  fs::current_path(folder_ / "lab/below");
  Said said = say(words);
  EXPECT_THAT(said.err, HasSubstr("\n../plan.yaml:9:14: error: duplicate stage 'a', first at "
                                  "../plan.yaml:8:14\n"));
  EXPECT_THAT(said.err, HasSubstr("the variable is declared at ../plan.yaml:6:5\n"));
}

/// The end of the run as a reader of the event stream sees it.
std::string end_of_run(const fs::path& events) {
  std::string text = read(events);
  std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
  EXPECT_THAT(last, HasSubstr("\"type\":\"run.end\"")) << text;
  return last;
}

TEST_F(Commands, TheEndOfTheRun_SaysWhatTheProgramEndsWith) {
  constexpr const char* kFails =
      "  stages:\n    - {name: touch, uses: exec, with: {argv: [\"true\"], check: "
      "[no-such-tool]}}\n";
  constexpr const char* kSkipped =
      "  stages:\n    - {name: touch, uses: exec, when: false, with: {argv: [touch, made]}}\n";
  struct Case {
    const char* plan;
    std::vector<std::string> words;
    int code;
    std::string result;
  };
  const std::vector<Case> cases = {
      {kTouch, {"plan"}, kExitDone, "changes pending"},
      {kTouch, {"plan", "--detailed-exitcode"}, kExitPending, "changes pending"},
      {kTouch, {"status"}, kExitPending, "does not hold"},
      {kFails, {"plan"}, kExitFailed, "failed"},
      {kFails, {"plan", "--out", "saved"}, kExitFailed, "failed"},
      {kNamesASecret, {"plan", "--out", "saved"}, kExitUsage, "failed"},
      {kSkipped, {"apply", "--only", "touch"}, kExitUsage, "failed"},
      {kTouch, {"apply"}, kExitDone, "done"},
      {kTouch, {"status"}, kExitDone, "nothing to do"},
  };
  ASSERT_EQ(setenv("CANARY", kCanary, 1), 0);
  for (const Case& one : cases) {
    write_plan(one.plan);
    std::vector<std::string> words = one.words;
    words.insert(words.end(), {"--events", "events"});
    Said said = say(words);
    std::string end = end_of_run(folder_ / "lab/events");
    EXPECT_EQ(said.code, one.code) << end << said.err;
    EXPECT_THAT(end, HasSubstr("\"exit_code\":" + std::to_string(one.code))) << said.err;
    EXPECT_THAT(end, HasSubstr("\"result\":\"" + one.result + "\"")) << said.err;
  }
  EXPECT_FALSE(fs::exists(folder_ / "lab/saved"));
}

/// Sends `signal` to this program as soon as `file` is there.
std::jthread signal_when_there(fs::path file, int signal) {
  return std::jthread([file = std::move(file), signal](std::stop_token ended) {
    while (!ended.stop_requested() && !fs::exists(file))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!ended.stop_requested()) ::kill(::getpid(), signal);
  });
}

TEST_F(Commands, ASignalWhileItLooks_IsInTheExitCodeOfEveryCommand) {
  write_plan(
      "  environments: {asks: {confirm: true}}\n  stages:\n"
      "    - {name: slow, uses: exec, with: {argv: [\"true\"], check: [sh, -c, \"touch looking; "
      "exec sleep 60\"]}}\n");
  const std::vector<std::vector<std::string>> commands = {
      {"plan"}, {"status"}, {"apply"}, {"apply", "--yes"}, {"destroy", "--yes"}};
  for (int signal : {SIGINT, SIGTERM}) {
    for (const std::vector<std::string>& words : commands) {
      fs::remove(folder_ / "lab/looking");
      std::jthread user = signal_when_there(folder_ / "lab/looking", signal);
      auto begin = std::chrono::steady_clock::now();
      Said said = say(words);
      EXPECT_EQ(said.code, kExitSignal + signal) << words.front() << "\n" << said.err;
      EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    }
  }
}

TEST_F(Commands, StagesThatASignalStopped_AreCountedAsStopped) {
  write_plan(
      "  stages:\n"
      "    - {name: slow, uses: exec, with: {argv: [\"true\"], check: [sh, -c, \"touch looking; "
      "exec sleep 60\"]}}\n"
      "    - {name: later, uses: exec, needs: [slow], with: {argv: [\"true\"]}}\n");
  std::jthread user = signal_when_there(folder_ / "lab/looking", SIGINT);
  Said said = say({"apply", "--events", "events"});
  EXPECT_THAT(end_of_run(folder_ / "lab/events"),
              HasSubstr("\"blocked\":0,\"skipped\":0,\"stopped\":2"));
  EXPECT_THAT(said.err, HasSubstr(": 2 stopped\n"));
}

/// A person at the keyboard: what is typed is this program's stdin until the end.
class Terminal {
 public:
  Terminal() : keyboard_(::posix_openpt(O_RDWR | O_NOCTTY)), before_(::dup(STDIN_FILENO)) {
    ::grantpt(keyboard_);
    ::unlockpt(keyboard_);
    int screen = ::open(::ptsname(keyboard_), O_RDWR | O_NOCTTY);
    ::dup2(screen, STDIN_FILENO);
    ::close(screen);
  }
  ~Terminal() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
    ::close(keyboard_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& text) {
    EXPECT_EQ(::write(keyboard_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

 private:
  int keyboard_;
  int before_;
};

constexpr const char* kTwoQuestions =
    "  stages:\n"
    "    - {name: one, uses: exec, confirm: always, with: {argv: [touch, one], check: [test, -e, "
    "one]}}\n"
    "    - {name: two, uses: exec, confirm: always, with: {argv: [touch, two], check: [test, -e, "
    "two]}}\n"
    "    - {name: free, uses: exec, with: {argv: [touch, free], check: [test, -e, free]}}\n";

TEST_F(Commands, Questions_AreAskedOneAfterTheOther) {
  write_plan(kTwoQuestions);
  Terminal terminal;
  terminal.type("yes\nno\n");
  Said said = say({"apply"});
  EXPECT_EQ(said.code, kExitUsage) << said.err;
  EXPECT_EQ(count_in(said.err, "Type 'yes' to go on: "), 2u) << said.err;
  EXPECT_NE(fs::exists(folder_ / "lab/one"), fs::exists(folder_ / "lab/two"));
  EXPECT_TRUE(fs::exists(folder_ / "lab/free"));
}

TEST_F(Commands, AnOpenQuestion_HoldsNobodyElseUpAndEndsWithCtrlC) {
  write_plan(kTwoQuestions);
  Terminal terminal;
  std::jthread user = signal_when_there(folder_ / "lab/free", SIGINT);
  Said said = say({"apply"});
  EXPECT_EQ(said.code, kExitSignal + SIGINT) << said.err;
  EXPECT_EQ(count_in(said.err, "Type 'yes' to go on: "), 1u) << said.err;
  EXPECT_FALSE(fs::exists(folder_ / "lab/one"));
  EXPECT_FALSE(fs::exists(folder_ / "lab/two"));
}

TEST_F(Commands, TheDebugLog_IsWrittenAtEveryLevelThatIsOffered) {
  write_plan(kTouch);
  for (const std::string& level : events::log_level_names()) {
    Said said = say({"plan", "--log-level", level, "--log-file", "log-" + level});
    EXPECT_EQ(said.code, kExitDone) << level << said.err;
    EXPECT_EQ(fs::exists(folder_ / "lab" / ("log-" + level)), level != "off") << level;
  }
  EXPECT_THAT(read(folder_ / "lab/log-info"), HasSubstr("run.start"));
  EXPECT_EQ(read(folder_ / "lab/log-warning"), "");
  EXPECT_EQ(say({"plan", "--log-level", "loud"}).code, kExitUsage);
  EXPECT_EQ(say({"runs", "--log-level", "info"}).code, kExitUsage) << "runs has no log";
}

/// Of a cluster that does not answer.
std::string kubeconfig_for(const std::string& server) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
         "clusters: [{name: x, cluster: {server: \"" +
         server +
         "\"}}]\n"
         "users: [{name: x, user: {token: abcdef}}]\n"
         "contexts: [{name: x, context: {cluster: x, user: x}}]\n";
}

TEST_F(Commands, TheCommandToGoOnWith_IsOnlyGivenWhereItGetsFurther) {
  std::ofstream(folder_ / "lab/kubeconfig") << kubeconfig_for("https://127.0.0.1:1");
  const std::string cluster = "  cluster: {kubeconfig: kubeconfig}\n  stages:\n";
  struct Case {
    std::string plan;
    std::vector<std::string> words;
    int code;
    bool goes_on;
  };
  const std::vector<Case> cases = {
      {"  stages:\n    - {name: a, uses: exec, with: {argv: [\"false\"]}}\n",
       {"apply"},
       kExitFailed,
       true},
      {cluster + "    - {name: a, uses: kube.namespace, timeout: 2s, with: {name: a}}\n",
       {"apply"},
       kExitUnreachable,
       true},
      {"  stages:\n    - {name: a, uses: exec, when: false, with: {argv: [\"true\"]}}\n",
       {"apply", "--only", "a"},
       kExitUsage,
       false},
      {"  stages:\n    - {name: a, uses: exec, with: {argv: [\"true\"]}}\n"
       "    - {name: b, uses: exec, needs: [a], with: {argv: [\"true\"]}}\n",
       {"apply", "--only", "b"},
       kExitUsage,
       false},
      {kTwoQuestions, {"apply", "--no-input"}, kExitUsage, false},
  };
  for (const Case& one : cases) {
    write_plan(one.plan);
    Said said = say(one.words);
    EXPECT_EQ(said.code, one.code) << said.err;
    EXPECT_EQ(count_in(said.err, "to go on: blackstart apply"), one.goes_on ? 1u : 0u) << said.err;
    EXPECT_GT(count_in(said.err, one.goes_on ? "error: " : "what to do: "), 0u) << said.err;
  }
}

TEST_F(Commands, Status_PromisesWhatApplyCanDo) {
  write_plan(kTouch);
  EXPECT_THAT(say({"status"}).out, HasSubstr("1 stage does not hold; blackstart apply mends what"));
  std::ofstream(folder_ / "lab/kubeconfig") << kubeconfig_for("https://127.0.0.1:1");
  write_plan(
      "  cluster: {kubeconfig: kubeconfig}\n  stages:\n"
      "    - {name: demo, uses: kube.namespace, with: {name: demo}}\n"
      "    - {name: after, uses: exec, needs: [demo], with: {argv: [touch, made], check: [test, "
      "-e, "
      "made]}}\n");
  Said said = say({"status"});
  EXPECT_EQ(said.code, kExitUnreachable) << said.err;
  EXPECT_THAT(said.out, HasSubstr("\n1 stage does not hold, 1 stage could not be looked at.\n"));
}

TEST_F(Commands, TheClustersKubeconfig_IsThatOfThePlansFolderAndNoOther) {
  std::ofstream(folder_ / "lab/kubeconfig") << kubeconfig_for("https://127.0.0.1:1");
  std::ofstream(folder_ / "lab/below/kubeconfig") << kubeconfig_for("https://127.0.0.1:2");
  write_plan(
      "  cluster: {kubeconfig: kubeconfig}\n  stages:\n"
      "    - {name: demo, uses: kube.namespace, with: {name: demo}}\n");
  fs::current_path(folder_ / "lab/below");
  Said said = say({"plan", "../plan.yaml"});
  EXPECT_EQ(said.code, kExitUnreachable) << said.err;
  EXPECT_THAT(said.out + said.err, HasSubstr("https://127.0.0.1:1"));
  EXPECT_THAT(said.out + said.err, Not(HasSubstr("https://127.0.0.1:2")));
}

TEST_F(Commands, ATargetThatNeverAnswers_IsUnreachableForApplyAndDestroy) {
  std::ofstream(folder_ / "lab/kubeconfig") << kubeconfig_for("https://127.0.0.1:1");
  write_plan(
      "  cluster: {kubeconfig: kubeconfig}\n  stages:\n"
      "    - {name: there, uses: cluster.existing, timeout: 4s, with: {kubeconfig: kubeconfig, "
      "context: x}}\n"
      "    - {name: demo, uses: kube.namespace, timeout: 4s, with: {name: demo}}\n");
  for (const char* command : {"apply", "destroy"}) {
    Said said = say({command, "--yes"});
    EXPECT_EQ(said.code, kExitUnreachable) << command << said.err;
    EXPECT_THAT(said.err, HasSubstr("https://127.0.0.1:1")) << command;
    EXPECT_THAT(said.err, HasSubstr("Connection refused")) << command;
    bool destroys = std::string(command) == "destroy";
    EXPECT_EQ(count_in(said.err, "nothing was taken away"), destroys ? 1u : 0u) << said.err;
  }
}

}  // namespace
}  // namespace blackstart::cli
