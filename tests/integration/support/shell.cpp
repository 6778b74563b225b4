#include "tests/integration/support/shell.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace blackstart::test {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) {
    std::string text = *line;
    if (!more.contains(text.substr(0, text.find('=')))) lines.push_back(text);
  }
  for (const auto& [name, value] : more) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// An unnamed temporary file: a child may write as much as it likes without anybody reading along.
int scratch_file() {
  return open(fs::temp_directory_path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

std::string content_of(int file) {
  std::string text;
  char piece[65536];
  for (off_t at = 0;;) {
    ssize_t count = pread(file, piece, sizeof piece, at);
    if (count <= 0) return text;
    text.append(piece, static_cast<size_t>(count));
    at += count;
  }
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

struct Background::State {
  pid_t pid = -1;
  int in = -1, out = -1, err = -1;
  int end = -1;  // a descriptor of the process: readable when it has ended
  SteadyClock::time_point started = SteadyClock::now();
  bool reaped = false;
  ~State() {
    close(in);
    close(out);
    close(err);
    close(end);
  }
};

Background::Background(const Invocation& invocation) : state_(std::make_unique<State>()) {
  state_->in = scratch_file();
  state_->out = scratch_file();
  state_->err = scratch_file();
  if (write(state_->in, invocation.input.data(), invocation.input.size()) < 0)
    ADD_FAILURE() << "cannot write input";
  lseek(state_->in, 0, SEEK_SET);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, state_->in, 0);
  posix_spawn_file_actions_adddup2(&actions, state_->out, 1);
  posix_spawn_file_actions_adddup2(&actions, state_->err, 2);
  if (!invocation.folder.empty())
    posix_spawn_file_actions_addchdir_np(&actions, invocation.folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> argv = invocation.argv;
  std::vector<std::string> environment = environment_with(invocation.environment);
  int problem = posix_spawnp(&state_->pid, argv[0].c_str(), &actions, &attributes,
                             pointers(argv).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (problem != 0) throw std::runtime_error("cannot start " + argv[0] + ": " + strerror(problem));
  state_->end = static_cast<int>(syscall(SYS_pidfd_open, state_->pid, 0));
  if (state_->end < 0) throw std::runtime_error("cannot watch " + argv[0] + ": " + strerror(errno));
}

Background::~Background() {
  if (state_->reaped) return;
  kill(-state_->pid, SIGKILL);
  waitpid(state_->pid, nullptr, 0);
}

int Background::pid() const { return state_->pid; }
void Background::signal(int number) const { kill(state_->pid, number); }

Ran Background::wait(std::chrono::seconds timeout) {
  pollfd end{.fd = state_->end, .events = POLLIN, .revents = 0};
  const std::chrono::milliseconds whole = timeout;
  const bool ended = poll(&end, 1, static_cast<int>(whole.count())) == 1;
  const auto elapsed = SteadyClock::now() - state_->started;
  if (!ended) {
    ADD_FAILURE() << "not ended within " << timeout.count() << " s; so far:\n"
                  << content_of(state_->err);
    kill(-state_->pid, SIGKILL);
  }
  int status = 0;
  rusage used{};
  wait4(state_->pid, &status, 0, &used);
  state_->reaped = true;
  Ran ran;
  ran.code = code_of(status);
  ran.peak_kib = used.ru_maxrss;
  ran.out = content_of(state_->out);
  ran.err = content_of(state_->err);
  ran.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(elapsed);
  return ran;
}

Ran run(const Invocation& invocation) {
  Background background(invocation);
  return background.wait(invocation.timeout);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "blackstart-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::permissions(path_, fs::perms::owner_all, ignored);
  fs::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& content) const {
  fs::path file = fs::path(path_) / name;
  fs::create_directories(file.parent_path());
  std::ofstream(file) << content;
  return file.string();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool eventually(const std::function<bool()>& holds, std::chrono::seconds timeout) {
  auto deadline = SteadyClock::now() + timeout;
  while (!holds()) {
    if (SteadyClock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

std::vector<int> processes_with(const std::string& text) {
  std::vector<int> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string command = read_file(entry.path() / "cmdline");
    if (command.find(text) != std::string::npos && std::stoi(name) != getpid())
      found.push_back(std::stoi(name));
  }
  return found;
}

}  // namespace blackstart::test
