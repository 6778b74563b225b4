// Secrets, in what commands say and keep.
#include <boost/json/parse.hpp>

#include "orchestrator/cli/exit_code.h"
#include "tests/unit/cli/commands.h"

namespace blackstart::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(Commands, ASecretInWhatIsDone_IsNotInTheLockFile) {
  write_plan(kNamesASecret);
  ASSERT_EQ(setenv("CANARY", kCanary, 1), 0);
  Said said = say({"apply"});
  EXPECT_EQ(said.code, kExitDone) << said.err;
  std::string held = read(folder_ / "lab/held");
  EXPECT_THAT(held, HasSubstr("stage tell: run sh"));
  EXPECT_THAT(held, Not(HasSubstr(kCanary)));
  EXPECT_THAT(said.out + said.err, Not(HasSubstr(kCanary)));
}

TEST_F(Commands, ASecretInAnArgument_IsFoundByValidateEvenWithoutItsValue) {
  write_plan(
      "  vars: {token: {type: string, sensitive: true, fromEnv: NO_SUCH_TOKEN}}\n  stages:\n"
      "    - {name: login, uses: exec, with: {argv: [login, \"${{ vars.token }}\"]}}\n");
  Said said = say_as_typed({"blackstart", "validate"});
  EXPECT_EQ(said.code, kExitUsage) << said.err;
  EXPECT_THAT(said.out, HasSubstr("plan.yaml:7:54: error: 'argv' holds a sensitive value"));
  EXPECT_THAT(said.out, HasSubstr("a secret goes by stdin, env or fromEnv"));
}

TEST_F(Commands, APlanThatNamesASecret_IsNotSaved) {
  write_plan(kNamesASecret);
  ASSERT_EQ(setenv("CANARY", kCanary, 1), 0);
  Said said = say({"plan", "--out", "saved"});
  EXPECT_EQ(said.code, kExitUsage) << said.err;
  EXPECT_THAT(said.err, HasSubstr("a secret would stand in the file"));
  EXPECT_THAT(said.out + said.err, Not(HasSubstr(kCanary)));
  EXPECT_FALSE(fs::exists(folder_ / "lab/saved"));
}

TEST_F(Commands, JsonStaysJsonWhateverASecretReads) {
  write_plan(
      "  vars: {s: {type: string, sensitive: true, default: \"false\"}}\n"
      "  stages:\n    - {name: say, uses: exec, with: {argv: [/bin/echo, hello], "
      "env: {S: \"${{ vars.s }}\"}}}\n");
  Said said = say({"plan", "-o", "json"});
  EXPECT_EQ(said.code, 0) << said.err;
  boost::json::value shown = boost::json::parse(said.out);
  EXPECT_EQ(shown.at("stages").at(0).at("actions").at(0).at("once"), false);
}

TEST_F(Commands, SensitiveNumbersAreNotShown) {
  write_plan(
      "  vars: {n: {type: integer, sensitive: true, default: 12345678}}\n"
      "  stages:\n    - {name: say, uses: exec, with: {argv: [/bin/echo], "
      "cwd: \"d${{ vars.n }}\"}}\n");
  Said said = say({"plan"});
  EXPECT_THAT(said.out + said.err, Not(HasSubstr("12345678")));
}

TEST_F(Commands, AStageNamedLikeASecretCanBeSaved) {
  write_plan(
      "  vars: {s: {type: string, sensitive: true, default: root}}\n"
      "  stages:\n    - {name: root, uses: exec, with: {argv: [/bin/echo, hello], "
      "env: {S: \"${{ vars.s }}\"}}}\n");
  Said said = say({"plan", "--out", "saved.json"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(read("saved.json"), HasSubstr("\"root\""));
}

}  // namespace
}  // namespace blackstart::cli
