#include "orchestrator/world/launch.h"

// g++ 12 is wrong about a vector of three numbers in the launcher.
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"

// clang-format off
// Boost 1.81 forgets to include these two itself.
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>
#define BOOST_PROCESS_USE_STD_FS
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
// clang-format on

#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "orchestrator/base/error.h"

namespace blackstart::real {
namespace {

namespace process = boost::process::v2;
using Setup = process::error_code;

Setup last_error() { return {errno, boost::system::system_category()}; }

// Runs between fork and exec: system calls only.
class ChildSetup {
 public:
  ChildSetup(const Command& command, const ChildSettings& settings)
      : folder_(command.working_directory), settings_(settings), parent_(::getpid()) {}

  template <class Launcher>
  Setup on_exec_setup(Launcher&, const process::filesystem::path&, const char* const*&) const {
    if (settings_.new_session ? ::setsid() < 0 : ::setpgid(0, 0) != 0) return last_error();
    if (settings_.dies_with_us != nullptr) {
      settings_.dies_with_us->add(::getpid());
      if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return last_error();
      if (::getppid() != parent_) ::_exit(127);  // we died before that call could see it
    }
    if (!folder_.empty() && ::chdir(folder_.c_str()) != 0) return last_error();
    ::signal(SIGPIPE, SIG_DFL);  // ignored in us, and an ignored signal stays so through exec
    return connect_streams();
  }

  // The launcher would leave through exit(), which runs our destructors in the child.
  template <class Launcher>
  void on_exec_error(Launcher&, const process::filesystem::path&, const char* const*&,
                     const process::error_code&) const {
    ::_exit(127);
  }
  // Never called: Boost 1.81 looks for this signature before it calls the one above.
  template <class Launcher>
  void on_exec_error(Launcher&, const process::error_code&, const process::filesystem::path&,
                     const char* const*&, const process::error_code&) const;

 private:
  Setup connect_streams() const {
    if (::dup2(settings_.stdin_fd, STDIN_FILENO) < 0) return last_error();
    if (::dup2(settings_.stdout_fd, STDOUT_FILENO) < 0) return last_error();
    if (::dup2(settings_.stderr_fd, STDERR_FILENO) < 0) return last_error();
    // On exec, not now: the launcher still reports through a pipe of its own.
    if (::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return last_error();
    return {};
  }

  const std::string& folder_;
  const ChildSettings& settings_;
  pid_t parent_;
};

struct Arguments {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;

  void add(std::string text) { texts.push_back(std::move(text)); }
  const char** finish() {
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    pointers.push_back(nullptr);
    return pointers.data();
  }
};

Arguments arguments_of(const Command& command) {
  Arguments result;
  result.add(command.argv0.empty() ? command.program : command.argv0);
  for (const std::string& arg : command.args) result.add(arg);
  return result;
}

Arguments environment_of(const Command& command) {
  Arguments result;
  for (const auto& [name, value] : command.environment) result.add(name + "=" + value);
  return result;
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

[[noreturn]] void cannot_start(const Command& command, const process::error_code& error) {
  Error failure(ErrorClass::kPermanent, "cannot start " + command.program);
  if (!command.working_directory.empty() && !is_folder(command.working_directory)) {
    failure.because("its working directory " + command.working_directory + " is not a folder");
  } else if (error.value() == ENOENT && ::access(command.program.c_str(), F_OK) == 0) {
    failure.because("the interpreter or loader that it names does not exist");
  } else {
    failure.because(error.message());
  }
  throw failure;
}

// A child that could not become the program.
void reap(int pid, const ChildSettings& settings) {
  if (settings.dies_with_us != nullptr) settings.dies_with_us->remove(pid);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace

Launched launch(boost::asio::io_context& loop, const Command& command,
                const ChildSettings& settings) {
  Arguments arguments = arguments_of(command);
  Arguments environment = environment_of(command);
  process::posix::default_launcher launcher;
  launcher.env = environment.finish();
  process::error_code error;
  auto child = launcher(loop.get_executor(), error, process::filesystem::path(command.program),
                        arguments.finish(), ChildSetup(command, settings));
  if (error) {
    // The launcher forgets a child whose exec failed: it would stay a zombie.
    if (launcher.pid > 0) reap(launcher.pid, settings);
    cannot_start(command, error);
  }
  Launched launched{launcher.pid,
                    Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, launcher.pid, 0)))};
  child.detach();
  return launched;
}

}  // namespace blackstart::real
