// Commands as a user types them, in the real world, and what is said.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "orchestrator/cli/program.h"
#include "orchestrator/world/real.h"
#include "stages/catalog.h"

namespace blackstart::cli {

namespace fs = std::filesystem;

struct Said {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "command-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    before_ = fs::current_path();
    fs::create_directories(folder_ / "lab/below");
    fs::current_path(folder_ / "lab");
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

  void write_plan(const std::string& spec) {
    std::ofstream(folder_ / "lab/plan.yaml")
        << "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: lab}\nspec:\n"
        << spec;
  }

  Said say(std::vector<std::string> words) {
    return say_with_state(std::move(words), (folder_ / "state").string());
  }

  Said say_with_state(std::vector<std::string> words, std::string state) {
    words.insert(words.end(), {"--state", state});
    return say_all(std::move(words));
  }

  Said say_all(std::vector<std::string> words) {
    words.insert(words.begin(), "blackstart");
    return say_as_typed(std::move(words));
  }

  Said say_as_typed(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    Arguments arguments;
    Said said;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    said.code = parse_arguments(static_cast<int>(argv.size()), argv.data(), arguments);
    if (said.code < 0) {
      RealWorld real;
      Program program{real.world(), stages::catalog(), arguments, [](int, int) {}};
      real.run(run(program, said.code),
               [&program](int signal, int count) { program.take_signal(signal, count); });
    }
    said.out = testing::internal::GetCapturedStdout();
    said.err = testing::internal::GetCapturedStderr();
    return said;
  }

  static Task<void> run(Program& program, int& code) { code = co_await run_command(program); }

  std::string journal() const { return (folder_ / "state/journal.db").string(); }

  fs::path folder_;

 private:
  fs::path before_;
};

constexpr const char* kCanary = "swordfish-canary";
/// A command that names the secret and shows what the next run would hear of this one.
constexpr const char* kNamesASecret =
    "  stages:\n    - {name: tell, uses: exec, with: {fromEnv: [CANARY], argv: [sh, -c, \"cp "
    "../state/lock.json held #\", swordfish-canary]}}\n";

}  // namespace blackstart::cli
