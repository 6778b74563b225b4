// Child processes: argv only, own process group, bounded output, dead when we are.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/world/clock.h"

namespace blackstart {

enum class Stream { kStdout, kStderr };

struct Command {
  std::string program;            // absolute path
  std::vector<std::string> args;  // without argv[0]; never a secret
  std::string argv0;              // empty = program; multi-call binaries choose by it
  std::map<std::string, std::string> environment;  // the whole of it: nothing is inherited
  std::string working_directory;                   // empty = ours
  std::optional<std::string> input;                // fed to stdin, then closed; nullopt = /dev/null
  size_t output_limit = 4u << 20;             // bytes kept of each stream; the rest is counted away
  Duration grace = std::chrono::seconds(10);  // between TERM and KILL when cancelled
  std::function<void(Stream, std::string_view)>
      on_line;  // every whole line, as it comes; may be empty

  /// program and args as one would type them, for messages.
  std::string display() const;
};

struct Exit {
  int code = 0;     // valid when signal == 0
  int signal = 0;   // the signal that ended it, or 0
  std::string out;  // stdout, at most output_limit bytes
  std::string err;  // stderr, at most output_limit bytes
  bool truncated = false;

  bool ok() const { return signal == 0 && code == 0; }
  /// "exit code 3" or "killed by signal 9".
  std::string describe() const;
  /// The last lines of stderr (or stdout if that is empty), for cause chains.
  std::vector<std::string> last_lines(size_t count) const;
};

/// A process that outlives us. The start time (clock ticks since boot, /proc/PID/stat field 22)
/// tells it from a later process with the same number.
struct Daemon {
  int pid = 0;
  uint64_t start_time = 0;
};

class Processes {
 public:
  virtual ~Processes() = default;
  /// Runs to the end. Cancelled: TERM to the process group, after `grace` KILL. The whole group
  /// dies with us even on SIGKILL. Throws Error(kPermanent) when the program cannot be started.
  virtual Task<Exit> run(Command command) = 0;
  /// Starts in a session of its own, output appended to `log_file` (0600), and leaves it running.
  virtual Task<Daemon> start_daemon(Command command, std::string log_file) = 0;
  virtual bool alive(const Daemon& daemon) const = 0;
  /// Identifies a running process by number; nullopt when there is none.
  virtual std::optional<Daemon> find(int pid) const = 0;
  /// TERM to its group, KILL after `grace`; returns when it is gone. Gone already is fine.
  virtual Task<void> stop(Daemon daemon, Duration grace) = 0;
  /// Kills every child group of `run` at once: the second Ctrl-C.
  virtual void kill_all() = 0;
};

}  // namespace blackstart
