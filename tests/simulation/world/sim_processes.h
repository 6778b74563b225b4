// Scripted processes: a test says what every program does.
#pragma once

#include <map>
#include <set>

#include "orchestrator/world/async.h"
#include "orchestrator/world/process.h"

namespace blackstart::sim {

struct SimDaemon {
  Command command;
  std::string log_file;
  Daemon identity;
};

class SimProcesses final : public Processes {
 public:
  explicit SimProcesses(Clock& clock) : clock_(clock) {}

  /// What `run` does; unset = no program can be started. It may wait on the simulated world and is
  /// cancelled with its caller. Lines of the Exit's output are handed on when it ends; a handler
  /// that calls on_line itself leaves them out of the Exit.
  std::function<Task<Exit>(Command)> on_run;
  /// Called before a daemon starts; may throw. Unset = all can be started.
  std::function<void(const Command&)> on_start_daemon;

  /// Told of every daemon after it has started, and by number when it is gone.
  std::function<void(const SimDaemon&)> on_started;
  std::function<void(int pid)> on_gone;

  Task<Exit> run(Command command) override;
  Task<Daemon> start_daemon(Command command, std::string log_file) override;
  bool alive(const Daemon& daemon) const override;
  std::optional<Daemon> find(int pid) const override;
  Task<void> stop(Daemon daemon, Duration grace) override;
  void kill_all() override;

  /// The daemons that run now, by number. They outlive a crash of ours.
  const std::map<int, SimDaemon>& daemons() const { return daemons_; }
  /// A daemon that somebody else than the program starts.
  Daemon start_outside(Command command, std::string log_file);
  /// A daemon dies by itself.
  void kill(int pid);
  /// How many times anything was started.
  int started() const { return started_; }
  /// What runs now, for messages.
  std::vector<std::string> running() const;

 private:
  struct Running;
  Clock& clock_;
  std::map<int, SimDaemon> daemons_;
  std::set<Running*> running_;
  int next_pid_ = 1000;
  int started_ = 0;
};

}  // namespace blackstart::sim
