// What every command is given: the world, the stage types, the arguments, and where to talk.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "orchestrator/cli/arguments.h"
#include "orchestrator/engine/stage.h"
#include "orchestrator/world/world.h"

namespace blackstart::cli {

struct Program {
  World& world;
  const engine::Catalog& catalog;
  const Arguments& arguments;
  /// What to do about a signal now (its number, how many so far). Without a run under way nothing
  /// is lost by leaving at once, which is the default.
  std::function<void(int signal, int count)> on_signal;
  int signal = 0;  // the newest, or 0

  /// To be called for every signal.
  void take_signal(int number, int count);
  /// A path of the command line, from where the user stands; none is this folder. However it is
  /// written, one place has one path: the state folder and the repository's URL are made of it.
  std::string absolute(const std::string& path) const;
  /// Data for the user or the next program, on stdout; on stderr when stdout is the event stream's.
  /// Throws Error(kPermanent) when it cannot be written: who reads it must not take less for all.
  void print(std::string_view text) const;
};

// One function a command, each in the file of its name. They return the exit code and throw Error
// for what prevents them from starting.
Task<int> run_init(Program& program);
Task<int> run_validate(Program& program);
Task<int> run_plan(Program& program);
Task<int> run_apply(Program& program);
Task<int> run_status(Program& program);
Task<int> run_destroy(Program& program);
Task<int> run_runs(Program& program);
Task<int> run_stages(Program& program);
Task<int> run_version(Program& program);

/// Finds and runs the command; turns an Error into its text on stderr and its exit code.
Task<int> run_command(Program& program);

}  // namespace blackstart::cli
