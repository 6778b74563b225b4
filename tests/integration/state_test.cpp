// The state folder, the lock, and being killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

const char* kSleeper = R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: sleeper}
spec:
  stages:
    - name: sleep
      uses: exec
      with: {argv: [/bin/sh, -c, "echo begun >> begun; until [ -e go ]; do sleep 0.1; done; echo ended >> ended"], cwd: .}
    - name: after
      uses: exec
      needs: [sleep]
      with: {argv: [/bin/sh, -c, "echo after >> after"], cwd: .}
)";

constexpr std::chrono::seconds kSoon{60};  // on a slow machine

bool exists(const Rehearsal& rehearsal, const std::string& name) {
  return std::filesystem::exists(rehearsal.folder() + "/" + name);
}

TEST(State, AFolderThatCannotBeWritten_IsNamed) {
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", kSleeper);
  Ran ran = rehearsal.blackstart({"apply", "--state", "/proc/1/blackstart"});
  EXPECT_EQ(ran.code, 64) << ran.all();
  EXPECT_NE(ran.err.find("/proc/1/blackstart"), std::string::npos) << ran.err;
  EXPECT_FALSE(exists(rehearsal, "begun"));
}

/// A disk of one MiB; unmounted when destroyed.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& folder) : folder_(folder) {
    std::filesystem::create_directories(folder);
    mounted_ = mount("none", folder.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount(folder_.c_str());
  }
  bool mounted() const { return mounted_; }

 private:
  std::string folder_;
  bool mounted_ = false;
};

TEST(State, ADiskThatIsFull_IsNamedAndNothingIsLost) {
  Rehearsal rehearsal;
  const SmallDisk disk(rehearsal.folder() + "/disk");
  if (!disk.mounted()) GTEST_SKIP() << "NOT RUN: this user may not mount a tmpfs";
  rehearsal.write("plan.yaml", R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: full}
spec:
  stages:
    - name: fill
      uses: exec
      with: {argv: [/bin/sh, -c, "echo once >> filled; head -c 2M /dev/zero > disk/filler; true"], check: [test, -e, filled], cwd: .}
    - name: after
      uses: exec
      needs: [fill]
      with: {argv: [/bin/sh, -c, "echo after >> after"], check: [test, -e, after], cwd: .}
)");
  const Ran full = rehearsal.blackstart({"apply", "--state", "disk/state"});
  EXPECT_EQ(full.code, 1) << full.all();
  EXPECT_NE(full.err.find("cannot write the journal "), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("the disk is full"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("free some space and run the same command again; nothing is lost"),
            std::string::npos)
      << full.err;
  EXPECT_FALSE(exists(rehearsal, "after"));
  std::filesystem::remove(rehearsal.folder() + "/disk/filler");
  const Ran again = rehearsal.blackstart({"apply", "--state", "disk/state"});
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_EQ(read_file(rehearsal.folder() + "/filled"), "once\n");
  EXPECT_TRUE(exists(rehearsal, "after"));
}

TEST(State, TwoRunsAtOnce_TheSecondSaysWhoHoldsIt) {
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", kSleeper);
  Background first = rehearsal.start({"apply"});
  ASSERT_TRUE(eventually([&] { return exists(rehearsal, "begun"); }, kSoon));
  Ran second = rehearsal.blackstart({"apply"});
  EXPECT_EQ(second.code, 5) << second.all();
  EXPECT_NE(second.err.find("pid " + std::to_string(first.pid())), std::string::npos) << second.err;
  EXPECT_NE(second.err.find("sleep"), std::string::npos) << "what it is doing\n" << second.err;
  rehearsal.write("go", "");
  EXPECT_EQ(first.wait(kSoon).code, 0);
}

TEST(State, KilledInTheMiddle_TheSameCommandGoesOn) {
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", kSleeper);
  Background first = rehearsal.start({"apply"});
  ASSERT_TRUE(eventually([&] { return exists(rehearsal, "begun"); }, kSoon));
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait(kSoon).code, 128 + SIGKILL);
  rehearsal.write("go", "");
  sleep(1);
  EXPECT_FALSE(exists(rehearsal, "ended")) << "children die with us";
  Ran again = rehearsal.blackstart({"apply"});
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_TRUE(exists(rehearsal, "after"));
}

TEST(State, CtrlCOnce_LetsTheRunningActionEndAndStartsNothingNew) {
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", kSleeper);
  Background run = rehearsal.start({"apply"});
  ASSERT_TRUE(eventually([&] { return exists(rehearsal, "begun"); }, kSoon));
  run.signal(SIGINT);
  sleep(2);
  rehearsal.write("go", "");
  Ran ran = run.wait(kSoon);
  EXPECT_EQ(ran.code, 130) << ran.all();
  EXPECT_TRUE(exists(rehearsal, "ended"));
  EXPECT_FALSE(exists(rehearsal, "after"));
  EXPECT_NE(ran.err.find("blackstart apply"), std::string::npos) << "the command to resume\n"
                                                                 << ran.err;
  EXPECT_EQ(rehearsal.blackstart({"apply"}).code, 0);
}

TEST(State, CtrlCTwice_EndsAtOnceAndStaysResumable) {
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", kSleeper);
  Background run = rehearsal.start({"apply"});
  ASSERT_TRUE(eventually([&] { return exists(rehearsal, "begun"); }, kSoon));
  run.signal(SIGINT);
  usleep(300'000);
  run.signal(SIGINT);
  Ran ran = run.wait(std::chrono::seconds(20));  // less than the grace after the first
  EXPECT_EQ(ran.code, 130) << ran.all();
  EXPECT_FALSE(exists(rehearsal, "ended"));
  rehearsal.write("go", "");
  EXPECT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  EXPECT_TRUE(exists(rehearsal, "after"));
}

TEST(State, ADamagedJournal_IsSetAsideAndTheRunGoesOnFromObservation) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write(
      "plan.yaml",
      plan_with_cluster("    - {name: demo, uses: kube.namespace, with: {name: demo}}\n"));
  ASSERT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  for (const char* end : {"-wal", "-shm"})
    std::filesystem::remove(rehearsal.state() + "/journal.db" + end);
  rehearsal.write("../state/journal.db", std::string(8192, 'x'));
  Ran ran = rehearsal.blackstart({"apply"});
  EXPECT_EQ(ran.code, 0) << ran.all();
  EXPECT_NE(ran.err.find("set aside"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("2 with nothing to do"), std::string::npos) << ran.err;
}

TEST(State, KwokctlKilledHalfWay_TheClusterIsMadeAnew) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", plan_with_cluster(""));
  Background run = rehearsal.start({"apply"});
  auto kwokctl = [&] {
    for (int pid : processes_with("kwokctl")) {
      if (read_file("/proc/" + std::to_string(pid) + "/environ").find(rehearsal.state()) !=
          std::string::npos)
        return pid;
    }
    return 0;
  };
  ASSERT_TRUE(eventually([&] { return kwokctl() != 0; }, kSoon));
  usleep(700'000);
  if (int pid = kwokctl()) kill(pid, SIGKILL);
  Ran broken = run.wait(kSoon);
  Ran again = rehearsal.blackstart({"apply"});
  EXPECT_EQ(again.code, 0) << broken.all() << again.all();
  EXPECT_EQ(rehearsal.kubectl({"get", "nodes"}).code, 0);
}

TEST(State, DestroyLeavesNoProcessAndNoFileButTheJournal) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write(
      "plan.yaml",
      plan_with_cluster("    - {name: demo, uses: kube.namespace, with: {name: demo}}\n"));
  ASSERT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  EXPECT_FALSE(rehearsal.processes().empty());
  Ran destroyed = rehearsal.blackstart({"destroy", "--yes"});
  EXPECT_EQ(destroyed.code, 0) << destroyed.all();
  EXPECT_TRUE(rehearsal.processes().empty());
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(rehearsal.state()))
    left.push_back(entry.path().filename());
  for (const std::string& name : left)
    EXPECT_TRUE(name.starts_with("journal.db") || name.starts_with("lock")) << name;
}

}  // namespace
}  // namespace blackstart::test
