// What the exit codes mean; `blackstart --help` says the same.
#pragma once

#include "orchestrator/base/error.h"
#include "orchestrator/engine/result.h"

namespace blackstart::cli {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,
  kExitPending = 2,
  kExitUnreachable = 3,
  kExitAuthentication = 4,
  kExitLocked = 5,
  kExitOutOfTime = 6,
  kExitVerification = 7,
  kExitUsage = 64,
  kExitBug = 70,
  kExitSignal = 128,  // plus the signal's number
};

/// `signal` is the one that was sent, or 0: then what was cancelled counts as stopped by Ctrl-C.
int exit_code(ErrorClass error_class, int signal = 0);

/// Of a whole run: a signal that left something undone, else the first failure, else 0.
int exit_code(const engine::RunResult& result, const engine::Graph& graph);

/// Whether the same command, run again after one that ended with `code`, may get further. False
/// when all went well, and when something else has to be done first: the failure says what.
bool may_go_on(const engine::RunResult& result, const engine::Graph& graph, int code);

}  // namespace blackstart::cli
