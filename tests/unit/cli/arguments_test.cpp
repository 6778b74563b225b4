// What the command line says back when it is not understood.
#include "orchestrator/cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/cli/exit_code.h"

namespace blackstart::cli {
namespace {

using testing::HasSubstr;

struct Parsed {
  int code = 0;
  std::string said;
  Arguments arguments;
};

Parsed parse(std::vector<std::string> words) {
  words.insert(words.begin(), "blackstart");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  Parsed parsed;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  parsed.code = parse_arguments(static_cast<int>(argv.size()), argv.data(), parsed.arguments);
  parsed.said = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  return parsed;
}

/// The whole of what is said about a command line that is refused.
std::string refusal_of(std::vector<std::string> words) {
  Parsed parsed = parse(std::move(words));
  EXPECT_EQ(parsed.code, kExitUsage);
  return parsed.said;
}

TEST(Arguments, AMistypedCommand_IsNamedWithTheNearest) {
  EXPECT_EQ(refusal_of({"aply"}),
            "error: there is no command 'aply'\n  what to do: did you mean 'apply'?\n");
  EXPECT_EQ(refusal_of({"aply", "--yes", "plan.yaml"}),
            "error: there is no command 'aply'\n  what to do: did you mean 'apply'?\n");
  EXPECT_THAT(refusal_of({"frobnicate"}), HasSubstr("known: init, validate, plan, apply"));
  EXPECT_THAT(refusal_of({}), HasSubstr("no command is given"));
}

TEST(Arguments, AMistypedOption_IsNamedWithTheNearest) {
  const std::string expected =
      "error: apply has no option '--envv'\n  what to do: did you mean '--env'?\n";
  EXPECT_EQ(refusal_of({"apply", "--envv", "production"}), expected);
  EXPECT_EQ(refusal_of({"apply", "--envv=production"}), expected);
  EXPECT_THAT(refusal_of({"runs", "--log-level", "info"}), HasSubstr("known: "));
  EXPECT_THAT(refusal_of({"--yes", "apply"}), HasSubstr("blackstart has no option '--yes'"));
}

TEST(Arguments, WhatElseIsWrong_IsSaidInTheSameForm) {
  EXPECT_EQ(refusal_of({"validate", "a.yaml", "b.yaml"}),
            "error: validate has no use for 'b.yaml'\n"
            "  what to do: blackstart validate --help says what it takes\n");
  EXPECT_THAT(refusal_of({"apply", "--var", "x"}),
              HasSubstr("error: --var: expected NAME=VALUE, got 'x'\n"));
  EXPECT_THAT(refusal_of({"apply", "--env"}), HasSubstr("error: --env"));
}

TEST(Arguments, AnEmptyValue_IsNotTheDefault) {
  EXPECT_EQ(refusal_of({"apply", "--state", ""}),
            "error: --state: is empty: give a value, or leave it out\n"
            "  what to do: blackstart apply --help says what it takes\n");
  for (const char* option : {"--env", "--only", "--events", "--log-file", "--state="})
    EXPECT_THAT(refusal_of({"apply", option, ""}), HasSubstr("is empty")) << option;
  EXPECT_THAT(refusal_of({"apply", ""}), HasSubstr("FILE: is empty"));
  EXPECT_EQ(parse({"apply", "--var", "motto="}).code, -1) << "a variable may be empty";
  EXPECT_THAT(
      refusal_of({"apply", "--var", "dsn=db://u:***@h"}),
      HasSubstr("error: --var dsn holds ***, which stands for a value that is not shown\n"));
}

TEST(Arguments, Help_IsNoMistake) {
  for (const char* word : {"--help", "--version"}) EXPECT_EQ(parse({word}).code, kExitDone);
  EXPECT_THAT(parse({"apply", "--help"}).said, HasSubstr("--env"));
}

TEST(Arguments, TheCommandLineAgain_CanBePastedIntoAShell) {
  Parsed parsed = parse({"plan", "my plan.yaml", "--var", "motto=it's"});
  EXPECT_EQ(parsed.code, -1);
  EXPECT_EQ(command_line(parsed.arguments, "apply"),
            "blackstart apply 'my plan.yaml' --var 'motto=it'\\''s'");
}

}  // namespace
}  // namespace blackstart::cli
