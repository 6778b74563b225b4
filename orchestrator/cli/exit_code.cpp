#include "orchestrator/cli/exit_code.h"

#include <csignal>

namespace blackstart::cli {

int exit_code(ErrorClass error_class, int signal) {
  switch (error_class) {
    case ErrorClass::kUnreachable: return kExitUnreachable;
    case ErrorClass::kAuthentication: return kExitAuthentication;
    case ErrorClass::kLocked: return kExitLocked;
    case ErrorClass::kDeadline: return kExitOutOfTime;
    case ErrorClass::kVerification: return kExitVerification;
    case ErrorClass::kUsage: return kExitUsage;
    case ErrorClass::kBug: return kExitBug;
    case ErrorClass::kCancelled: return kExitSignal + (signal == 0 ? SIGINT : signal);
    case ErrorClass::kTransient:
    case ErrorClass::kThrottled:
    case ErrorClass::kConflict:
    case ErrorClass::kPermanent: break;
  }
  return kExitFailed;
}

int exit_code(const engine::RunResult& result, const engine::Graph& graph) {
  if (result.signal != 0 && result.count(engine::StageState::kStopped) > 0)
    return kExitSignal + result.signal;
  if (const engine::StageResult* first = result.first_failure(graph))
    return exit_code(first->failure->error_class(), result.signal);
  return result.count(engine::StageState::kBlocked) > 0 ? kExitFailed : kExitDone;
}

}  // namespace blackstart::cli
