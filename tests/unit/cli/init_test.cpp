// blackstart init with the real git, in a temporary folder.
#include <csignal>
#include <set>

#include "orchestrator/base/error.h"
#include "orchestrator/cli/init.h"
#include "orchestrator/cli/starter.h"
#include "tests/unit/cli/commands.h"

namespace blackstart::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class Init : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "init test XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    fs::create_directories(root_ / "parts/bin");
    for (const char* part : {"crds/a.yaml", "templates/b.yaml"}) {
      fs::create_directories((root_ / "parts/share/argo-cd" / part).parent_path());
      std::ofstream(root_ / "parts/share/argo-cd" / part) << "kind: " << part << "\n";
    }
    setenv("BLACKSTART_PARTS", (root_ / "parts").c_str(), 1);
    setenv("HOME", root_.c_str(), 1);  // no configuration of whoever runs the test
  }
  void TearDown() override {
    unsetenv("BLACKSTART_PARTS");
    if (home_) setenv("HOME", home_->c_str(), 1);
    fs::remove_all(root_);
  }

  void make(
      const fs::path& folder, const std::string& name = "", void (*on_signal)(int) = [](int) {}) {
    RealWorld real;
    engine::Tools tools(real.world(), {});
    real.run(make_starter(real.world(), tools, {folder.string(), name}),
             [on_signal](int signal, int) { on_signal(signal); });
  }
  static std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
    return names;
  }
  /// What `blackstart init WORD` prints, typed in the root.
  std::string typed(const std::string& word) {
    Arguments arguments;
    arguments.command = "init";
    arguments.file = word;
    fs::path before = fs::current_path();
    fs::current_path(root_);
    testing::internal::CaptureStdout();
    RealWorld real;
    Program program{real.world(), stages::catalog(), arguments, [](int, int) {}};
    real.run(run(program), [](int, int) {});
    fs::current_path(before);
    return testing::internal::GetCapturedStdout();
  }
  static Task<void> run(Program& program) { co_await run_command(program); }

  std::string git(const fs::path& folder, const std::string& arguments) {
    fs::path out = root_ / "git.out";
    std::string command =
        "git -C '" + folder.string() + "' " + arguments + " > '" + out.string() + "' 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << command << read(out);
    return read(out);
  }

  fs::path root_;

 private:
  std::optional<std::string> home_ =
      getenv("HOME") != nullptr ? std::optional<std::string>(getenv("HOME")) : std::nullopt;
};

TEST_F(Init, MakesACommittedRepositoryThatNamesItself) {
  fs::path folder = root_ / "deep/My Lab";
  make(folder);
  EXPECT_EQ(git(folder, "status --porcelain"), "");
  EXPECT_EQ(git(folder, "rev-parse --abbrev-ref HEAD"), "main\n");
  EXPECT_EQ(git(folder, "log --format=%an"), "blackstart\n") << "nobody is configured";
  EXPECT_THAT(read(folder / "plan.yaml"), HasSubstr("\n  name: \"my-lab\"\n"));
  std::string root = read(folder / "bootstrap/vendored/root.yaml");
  EXPECT_THAT(root, HasSubstr("repoURL: file://"));
  EXPECT_THAT(root, HasSubstr("/deep/My%20Lab\n"));
  EXPECT_EQ(read(folder / "infrastructure/argocd/chart/templates/b.yaml"),
            "kind: templates/b.yaml\n");
  EXPECT_EQ(read(folder / "infrastructure/argocd/chart/crds/a.yaml"), "kind: crds/a.yaml\n");
  EXPECT_THAT(read(folder / "infrastructure/argocd/chart/Chart.yaml"), Not(HasSubstr("0.0.0")));
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(read(entry.path()), Not(HasSubstr("git.example.com"))) << entry.path();
  }
}

TEST_F(Init, EveryFileOfTheStarterIsEmbeddedByteForByte) {
  size_t count = 0;
  fs::path source = fs::path(SOURCE_FOLDER) / "plans/quickstart";
  for (const auto& entry : fs::recursive_directory_iterator(source))
    count += entry.is_regular_file();
  EXPECT_EQ(starter_files().size(), count);
  for (const StarterFile& file : starter_files())
    EXPECT_EQ(file.content, read(source / file.path)) << file.path;
}

TEST_F(Init, TheUsersOwnIdentityCommits) {
  std::ofstream(root_ / ".gitconfig")
      << "[user]\n  name = Me\n  email = me@example.com\n[commit]\n  gpgsign = true\n";
  make(root_ / "lab");
  EXPECT_EQ(git(root_ / "lab", "log --format=%an"), "Me\n");
}

TEST_F(Init, AnEmptyFolderIsTakenAndAnotherIsLeftAlone) {
  fs::create_directories(root_ / "empty");
  make(root_ / "empty", "lab");
  EXPECT_THAT(read(root_ / "empty/plan.yaml"), HasSubstr("\n  name: \"lab\"\n"));
  fs::create_directories(root_ / "full");
  std::ofstream(root_ / "full/mine") << "mine";
  EXPECT_THROW(make(root_ / "full"), Error);
  EXPECT_EQ(read(root_ / "full/mine"), "mine");
  EXPECT_FALSE(fs::exists(root_ / "full/plan.yaml"));
}

TEST_F(Init, AfterOneThatWasKilled_BeginsAnew) {
  fs::path tool = root_ / "parts/bin/git";
  std::ofstream(tool) << "#!/bin/sh\nkill -INT $PPID\nexec sleep 60\n";
  fs::permissions(tool, fs::perms::owner_all);
  EXPECT_EXIT(make(root_ / "lab", "", _exit), testing::ExitedWithCode(SIGINT), "");
  EXPECT_EQ(names_in(root_ / "lab"), (std::set<std::string>{".blackstart-init"}));
  std::ofstream(root_ / "lab/.blackstart-init/left-over") << "";
  fs::remove(tool);
  make(root_ / "lab");
  EXPECT_EQ(git(root_ / "lab", "status --porcelain --ignored"), "");
  EXPECT_THAT(names_in(root_ / "lab"), testing::IsSupersetOf({".git", "plan.yaml"}));
  EXPECT_FALSE(fs::exists(root_ / "lab/left-over"));
  EXPECT_FALSE(fs::exists(root_ / "lab/.blackstart-init"));
}

TEST_F(Init, WithoutTheChart_NothingIsMadeAndTheHintSaysHowToGetIt) {
  fs::remove_all(root_ / "parts/share");
  try {
    make(root_ / "lab");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("scripts/parts/build"));
  }
  EXPECT_FALSE(fs::exists(root_ / "lab"));
}

TEST_F(Init, WhenGitFails_WhatWasMadeIsTakenAway) {
  fs::path tool = root_ / "parts/bin/git";
  std::ofstream(tool) << "#!/bin/sh\necho 'fatal: no room left' >&2\nexit 128\n";
  fs::permissions(tool, fs::perms::owner_all);
  fs::create_directories(root_ / "empty");
  for (const char* folder : {"lab", "empty"}) {
    try {
      make(root_ / folder);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_THAT(error.full_text(), HasSubstr("fatal: no room left"));
    }
  }
  EXPECT_FALSE(fs::exists(root_ / "lab"));
  EXPECT_TRUE(fs::is_empty(root_ / "empty")) << "it was there before";
}

TEST_F(Init, TheNextSteps_CanBePastedIntoAShell) {
  EXPECT_THAT(typed("my folder"), HasSubstr("\n  cd 'my folder'\n  blackstart validate\n"));
  EXPECT_THAT(typed("lab"), HasSubstr("\n  cd lab\n"));
  EXPECT_THAT(typed("-x"), HasSubstr("\n  cd ./-x\n"));
}

TEST_F(Init, AnyFolderThatHasAName_MakesAPlanThatIsValid) {
  for (const char* name : {"123", "true", "0x1f", "x,y={z}", "a\"b:c #d'e", "ünï"}) {
    make(root_ / name);
    Arguments arguments;
    arguments.command = "validate";
    arguments.file = (root_ / name / "plan.yaml").string();
    RealWorld real;
    Program program{real.world(), stages::catalog(), arguments, [](int, int) {}};
    EXPECT_NO_THROW(real.run(run(program), [](int, int) {})) << name;
  }
  std::string root = read(root_ / "x,y={z}/bootstrap/vendored/root.yaml");
  EXPECT_THAT(root, HasSubstr("/x%2cy%3d%7bz%7d\n"));
  EXPECT_THROW(make(root_ / "new\nline"), Error);
  EXPECT_FALSE(fs::exists(root_ / "new\nline"));
}

TEST_F(Init, ANameThatIsNone_IsRefused) {
  for (const char* name : {"My Lab", "-lab", "lab-", "a.b"})
    EXPECT_THROW(make(root_ / "lab", name), Error) << name;
  EXPECT_FALSE(fs::exists(root_ / "lab"));
}

TEST(PlanName, IsMadeOfTheFolders) {
  EXPECT_EQ(plan_name_of("/home/me/My Lab (2)"), "my-lab-2");
  EXPECT_EQ(plan_name_of("/x/---"), "homelab");
  EXPECT_EQ(plan_name_of("/x/" + std::string(60, 'a')).size(), 40u);
}

}  // namespace
}  // namespace blackstart::cli
