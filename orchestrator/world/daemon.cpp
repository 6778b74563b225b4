#include "orchestrator/world/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "orchestrator/base/error.h"
#include "orchestrator/world/async.h"
#include "orchestrator/world/launch.h"
#include "orchestrator/world/proc_stat.h"
#include "orchestrator/world/readable.h"

namespace blackstart::real {
namespace {

namespace asio = boost::asio;

// After KILL only a process stuck in the kernel is still there; it is not waited for longer than
// this.
constexpr Duration kAfterKill = std::chrono::seconds(10);

Descriptor open_log(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file)
    throw Error(ErrorClass::kPermanent, "cannot open the log file " + path)
        .because(std::strerror(errno));
  return file;
}

// A handle on a process that cannot turn into another one; none when it has ended.
Descriptor open_process(const Daemon& daemon) {
  Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, daemon.pid, 0)));
  auto stat = read_proc_stat(daemon.pid);  // after opening: now the number cannot be reused unseen
  bool same = stat && !stat->ended() && stat->start_time == daemon.start_time;
  return same ? std::move(handle) : Descriptor();
}

void send_signal(const Descriptor& handle, int signal) {
  ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0);
}

Task<void> wait_for_end(std::shared_ptr<asio::posix::stream_descriptor> handle) {
  co_await throw_if_cancelled();
  bool ended = co_await until_readable(*handle);
  if (!ended) throw Error(ErrorClass::kCancelled, "cancelled");
}

// True when the process ended in time.
Task<bool> ended_within(Clock& clock, const Descriptor& handle, Duration limit) {
  auto executor = co_await asio::this_coro::executor;
  auto watched = std::make_shared<asio::posix::stream_descriptor>(executor, ::dup(handle.get()));
  bool ended = true;
  try {
    co_await within(clock, clock.now() + limit, "", wait_for_end(watched));
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::kDeadline) throw;
    ended = false;
  }
  co_return ended;
}

// Children of the daemon that it did not take along.
Task<void> kill_session(Clock& clock, Daemon daemon) {
  for (const ProcStat& member : session_members(daemon.pid)) {
    bool same_number = member.pid == daemon.pid;
    if (same_number && member.start_time == daemon.start_time) continue;  // not reaped yet
    if (same_number) co_return;  // a later process: this session is not ours
    Descriptor handle = open_process({member.pid, member.start_time});
    if (!handle) continue;
    send_signal(handle, SIGKILL);
    co_await ended_within(clock, handle, kAfterKill);
  }
}

}  // namespace

Daemon Daemons::start(const Command& command, const std::string& log_file) {
  Descriptor log = open_log(log_file);
  Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ChildSettings settings{
      .stdin_fd = null.get(), .stdout_fd = log.get(), .stderr_fd = log.get(), .new_session = true};
  Launched launched = launch(loop_, command, settings);
  // Not reaped yet, so its entry is there even when it has ended already.
  auto stat = read_proc_stat(launched.pid);
  reap_when_ended(launched.pid, launched.pidfd.release());
  if (!stat) throw Error(ErrorClass::kBug, "a child that was just started has no /proc entry");
  return {launched.pid, stat->start_time};
}

void Daemons::reap_when_ended(int pid, int pidfd) {
  ours_[pid] = std::make_unique<Watched>(loop_, pidfd);
  watch(pid);
}

void Daemons::watch(int pid) {
  Watched& watched = *ours_.at(pid);
  watched.async_wait(Watched::wait_read, [this, pid](const boost::system::error_code& error) {
    if (error) return;
    if (::waitpid(pid, nullptr, WNOHANG) == 0) return watch(pid);  // see until_readable()
    ours_.erase(pid);
  });
}

bool Daemons::alive(const Daemon& daemon) const {
  auto found = find(daemon.pid);
  return found && found->start_time == daemon.start_time;
}

std::optional<Daemon> Daemons::find(int pid) const {
  auto stat = read_proc_stat(pid);
  if (!stat) return std::nullopt;
  Daemon daemon{pid, stat->start_time};
  // The holder of a handle is told a moment before /proc shows it.
  Descriptor handle = open_process(daemon);
  return handle && !is_readable(handle.get()) ? std::optional(daemon) : std::nullopt;
}

Task<void> Daemons::stop(Clock& clock, Daemon daemon, Duration grace) {
  Descriptor handle = open_process(daemon);
  if (!handle) co_return;
  auto stat = read_proc_stat(daemon.pid);
  bool leads_group = stat && stat->group == daemon.pid;
  bool leads_session = stat && stat->session == daemon.pid;
  send_signal(handle, SIGTERM);
  if (leads_group) ::kill(-daemon.pid, SIGTERM);
  bool ended = co_await ended_within(clock, handle, grace);
  if (!ended) {
    if (leads_group) ::kill(-daemon.pid, SIGKILL);
    send_signal(handle, SIGKILL);
    ended = co_await ended_within(clock, handle, kAfterKill);
    if (!ended)
      throw Error(ErrorClass::kTransient, "process " + std::to_string(daemon.pid) + " does not end")
          .because("it was killed and is still there: the kernel is busy for it");
  }
  if (leads_session) co_await kill_session(clock, daemon);
}

}  // namespace blackstart::real
