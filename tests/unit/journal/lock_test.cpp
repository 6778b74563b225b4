#include "orchestrator/journal/lock.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/unit/journal/test_world.h"

namespace blackstart::journal {
namespace {

using testing::HasSubstr;

class LockTest : public WorldTest {
 protected:
  LockTest() { processes.running[environment.our_pid] = 77; }

  std::unique_ptr<RunLock> acquire() { return RunLock::acquire(world, state(), "apply"); }
  std::string state() const { return folder + "/state"; }

  Error refusal() {
    try {
      acquire();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorClass::kBug, "the lock was given twice");
  }
};

TEST_F(LockTest, TheSecondRunIsToldWhoHoldsItSinceWhenAndWhatItDoes) {
  auto lock = acquire();
  clock.elapsed += std::chrono::seconds(10);
  lock->set_activity("stage argocd: waiting for Deployment argocd-server");
  clock.elapsed += std::chrono::seconds(182);
  Error error = refusal();
  EXPECT_EQ(error.error_class(), ErrorClass::kLocked);
  EXPECT_EQ(error.summary(),
            "another run holds " + state() +
                ": apply by anna on host7, pid 4242, since 2026-01-02T03:04:05.000Z (3m12s): stage "
                "argocd: waiting for Deployment argocd-server");
  EXPECT_NE(error.hint(), "");
}

TEST_F(LockTest, IsFreeAgainWhenItsHolderLetsGo) {
  acquire().reset();
  EXPECT_NO_THROW(acquire());
  EXPECT_FALSE(std::filesystem::exists(state() + "/lock.json"));
}

TEST_F(LockTest, AHolderThatDiedLeavesNoTrouble) {
  pid_t child = ::fork();
  if (child == 0) {
    auto lock = acquire();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(std::filesystem::exists(state() + "/lock.json"));
  EXPECT_NO_THROW(acquire());
}

TEST_F(LockTest, WhatADeadHolderLeftIsNotTakenForTheNextOne) {
  auto lock = acquire();
  processes.running.clear();  // as if the file were still that of a process that is gone
  EXPECT_THAT(refusal().summary(), HasSubstr("only just started or is about to end"));
  processes.running[environment.our_pid] = 78;  // or of a later process with the same number
  EXPECT_THAT(refusal().summary(), HasSubstr("only just started or is about to end"));
}

TEST_F(LockTest, AHolderFileThatCannotBeReadStillMeansLocked) {
  auto lock = acquire();
  for (const char* text : {"", "{", "[]", "{\"pid\":\"x\",\"host\":7}"}) {
    files.write(state() + "/lock.json", text, 0600);
    EXPECT_EQ(refusal().error_class(), ErrorClass::kLocked) << text;
  }
}

TEST_F(LockTest, ActivityIsWrittenAtMostOnceASecond) {
  auto lock = acquire();
  clock.elapsed += std::chrono::milliseconds(500);
  lock->set_activity("too soon");
  EXPECT_EQ(refusal().summary().find("too soon"), std::string::npos);
  clock.elapsed += std::chrono::milliseconds(500);
  lock->set_activity("in time");
  EXPECT_THAT(refusal().summary(), HasSubstr("in time"));
}

}  // namespace
}  // namespace blackstart::journal
