#include "tests/simulation/world/sim_processes.h"

#include <boost/asio/this_coro.hpp>

#include "orchestrator/base/error.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::sim {

// In the list of what runs for as long as it does.
struct SimProcesses::Running {
  Running(SimProcesses& owner, Executor executor, std::string text)
      : processes(owner), killed(std::move(executor)), display(std::move(text)) {
    processes.running_.insert(this);
  }
  ~Running() { processes.running_.erase(this); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  SimProcesses& processes;
  Event killed;
  std::string display;
};

namespace {

constexpr int kSigKill = 9;

void hand_on_lines(const Command& command, Stream stream, const std::string& text) {
  if (!command.on_line || text.empty()) return;
  std::string_view rest = text;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  for (const std::string& line : split(rest, '\n')) command.on_line(stream, line);
}

Task<void> store(Task<Exit> task, Exit& exit) { exit = co_await std::move(task); }

}  // namespace

Task<Exit> SimProcesses::run(Command command) {
  co_await throw_if_cancelled();
  ++started_;
  if (!on_run)
    throw Error(ErrorClass::kPermanent, "cannot start " + command.program)
        .because("No such file or directory");
  Executor executor = co_await boost::asio::this_coro::executor;
  Running running(*this, executor, command.display());
  Exit exit;
  bool ended = co_await run_unless(running.killed, store(on_run(command), exit));
  if (!ended) co_return Exit{.signal = kSigKill};
  hand_on_lines(command, Stream::kStdout, exit.out);
  hand_on_lines(command, Stream::kStderr, exit.err);
  co_return exit;
}

Task<Daemon> SimProcesses::start_daemon(Command command, std::string log_file) {
  co_await throw_if_cancelled();
  ++started_;
  if (on_start_daemon) on_start_daemon(command);
  co_return start_outside(std::move(command), std::move(log_file));
}

Daemon SimProcesses::start_outside(Command command, std::string log_file) {
  Daemon identity{next_pid_++, static_cast<uint64_t>(clock_.now().time_since_epoch().count())};
  daemons_[identity.pid] = {std::move(command), std::move(log_file), identity};
  if (on_started) on_started(daemons_[identity.pid]);
  return identity;
}

void SimProcesses::kill(int pid) {
  if (daemons_.erase(pid) > 0 && on_gone) on_gone(pid);
}

bool SimProcesses::alive(const Daemon& daemon) const {
  auto found = find(daemon.pid);
  return found && found->start_time == daemon.start_time;
}

std::optional<Daemon> SimProcesses::find(int pid) const {
  auto found = daemons_.find(pid);
  return found == daemons_.end() ? std::nullopt : std::optional(found->second.identity);
}

Task<void> SimProcesses::stop(Daemon daemon, Duration) {
  co_await throw_if_cancelled();
  if (alive(daemon)) kill(daemon.pid);
}

void SimProcesses::kill_all() {
  for (Running* running : running_) running->killed.set();
}

std::vector<std::string> SimProcesses::running() const {
  std::vector<std::string> names;
  for (const Running* running : running_) names.push_back(running->display);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace blackstart::sim
