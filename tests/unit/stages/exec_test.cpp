#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Exit ended(int code, std::string err = "") {
  Exit exit;
  exit.code = code;
  exit.err = std::move(err);
  return exit;
}

TEST(Exec, CheckSaysDone_NothingRuns) {
  Bench bench("exec", "argv: [make, it]\ncheck: [test-it]");
  EXPECT_EQ(bench.converge(), 0);
  EXPECT_THAT(bench.processes.ran, ElementsAre("test-it"));
}

TEST(Exec, CheckSaysNotDone_RunsAndChecksAgain) {
  Bench bench("exec", "argv: [make, it]\ncheck: [test-it]");
  bool made = false;
  bench.processes.handler = [&made](const Command& command) {
    bool check = command.program == "/tools/test-it";
    made = made || !check;
    return ended(made ? 0 : 1);
  };
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_THAT(bench.processes.ran, ElementsAre("test-it", "make it", "test-it"));
}

TEST(Exec, WithoutCheck_TheJournalDecides) {
  Bench bench("exec", "argv: [make, it]");
  EXPECT_EQ(bench.converge(), 1);
  Bench again("exec", "argv: [make, it]");
  again.observe();
  again.journal.records["tested"].digest = again.context().digest();
  EXPECT_EQ(again.converge(), 0);
  Bench changed("exec", "argv: [make, something-else]");
  changed.journal.records["tested"].digest = again.context().digest();
  EXPECT_EQ(changed.converge(), 1);
}

TEST(Exec, ExitCodes_OnlyAllowedOnesAreSuccess) {
  Bench bench("exec", "argv: [topf]\nallowedExitCodes: [0, 2]");
  bench.processes.handler = [](const Command&) { return ended(2); };
  EXPECT_EQ(bench.converge(), 1);
  Bench strict("exec", "argv: [topf]");
  strict.processes.handler = [](const Command&) { return ended(2, "it went wrong\n"); };
  strict.observe();
  try {
    strict.act("run");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.summary(), "topf ended with exit code 2");
    EXPECT_THAT(error.causes(), Contains("it went wrong"));
  }
}

TEST(Exec, OnceWithoutCheck_IsRefused) {
  Bench bench("exec", "argv: [make, it]\nonce: true");
  try {
    bench.observe();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
    EXPECT_THAT(error.summary(), HasSubstr("needs a `check`"));
    EXPECT_TRUE(error.place().known());
  }
}

TEST(Exec, ASecretInAnArgument_IsRefusedWithThePlan) {
  for (const char* with : {"argv: [login, \"--token=${{ vars.token }}\"]",
                           "argv: [login]\ncheck: [ask, \"${{ vars.token }}\"]"}) {
    try {
      Bench bench("exec", with);
      ADD_FAILURE() << with;
    } catch (const std::logic_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("holds a sensitive value"));
      EXPECT_THAT(error.what(), Not(HasSubstr("token-of-the-plan")));
    }
  }
  Bench fed("exec", "argv: [login]\nstdin: \"${{ vars.token }}\"");
  EXPECT_EQ(fed.converge(), 1);
}

TEST(Exec, OnceWithCheck_MarksItsAction) {
  Bench bench("exec", "argv: [make, it]\nonce: true\ncheck: [test-it]");
  bench.processes.handler = [](const Command&) { return ended(1); };
  Decision decision = bench.decide();
  EXPECT_TRUE(decision.actions.front().once);
}

TEST(Exec, Environment_IsGivenExactlyAndItsSecretsAreHidden) {
  Bench bench("exec",
              "argv: [deploy]\nenv: {MODE: fast}\nfromEnv: [TOKEN]\nstdin: hello\ncwd: sub");
  bench.environment.variables["TOKEN"] = "a-very-secret-token";
  bench.environment.variables["OTHER"] = "not-asked-for";
  Command seen;
  bench.processes.handler = [&seen](const Command& command) {
    seen = command;
    if (command.on_line) command.on_line(Stream::kStdout, "using a-very-secret-token");
    return ended(0);
  };
  Decision decision = bench.decide();
  EXPECT_THAT(decision.actions.front().details,
              ElementsAre("in /p/sub", "with MODE set", "with TOKEN set"));
  bench.act("run");
  EXPECT_EQ(seen.environment.at("TOKEN"), "a-very-secret-token");
  EXPECT_EQ(seen.environment.at("MODE"), "fast");
  EXPECT_FALSE(seen.environment.contains("OTHER"));
  EXPECT_EQ(seen.input, "hello");
  EXPECT_EQ(seen.working_directory, "/p/sub");
  EXPECT_THAT(bench.published(), HasSubstr("using "));
  EXPECT_THAT(bench.published(), Not(HasSubstr("a-very-secret-token")));
}

TEST(Exec, AMissingVariable_IsNamedWhenItIsToRun) {
  for (const char* check : {"", "\ncheck: [test-it]"}) {
    Bench bench("exec", std::string("argv: [deploy]\nfromEnv: [TOKEN]") + check);
    try {
      bench.decide();
      ADD_FAILURE() << check;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
      EXPECT_THAT(error.summary(), HasSubstr("TOKEN is not set"));
      EXPECT_TRUE(error.place().known());
    }
    EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kSatisfied);
    EXPECT_THAT(bench.processes.ran, testing::IsEmpty());
  }
}

TEST(Exec, AMissingVariable_IsNotNeededWhenTheJournalSaysItRan) {
  Bench bench("exec", "argv: [deploy]\nfromEnv: [TOKEN]");
  bench.journal.records["tested"].digest = bench.digest();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Catalog, EveryType_HasAFaceAndCanBeMade) {
  for (const std::string& name : catalog().names()) {
    const engine::StageType* type = catalog().find(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_FALSE(type->schema.summary.empty()) << name;
    EXPECT_NE(type->make(), nullptr) << name;
    for (const auto& option : type->schema.options)
      EXPECT_FALSE(option.summary.empty()) << name << option.name;
  }
  EXPECT_EQ(catalog().find("kube.nothing"), nullptr);
}

}  // namespace
}  // namespace blackstart::stages
