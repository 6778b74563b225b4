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
    case ErrorClass::kNotReady:
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

bool may_go_on(const engine::RunResult& result, const engine::Graph& graph, int code) {
  if (code == kExitDone || code == kExitUsage) return false;
  if (code >= kExitSignal) return true;
  const engine::StageResult* first = result.first_failure(graph);
  if (first == nullptr) return true;
  switch (first->failure->error_class()) {
    case ErrorClass::kUsage:
    case ErrorClass::kAuthentication:
    case ErrorClass::kConflict:
    case ErrorClass::kBug: return false;
    default: return true;
  }
}

}  // namespace blackstart::cli
