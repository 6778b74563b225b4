// Why something that is waited for is not ready yet, without asking at every look.
#pragma once

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/diagnosis.h"

namespace blackstart::stages {

/// Remembers the newest diagnosis of a wait.
class Explainer {
 public:
  /// Of `object`, which is not ready. Walks down at once when `now` or nothing may be written
  /// (plan, status); else neither at the first look of a wait, for most things are just starting,
  /// nor more often than every few seconds. Empty while there is none. Never throws but when
  /// cancelled.
  Task<kube::Diagnosis> explain(engine::Context& context, kube::Client& client,
                                boost::json::value object, bool now);

 private:
  bool is_due(engine::Context& context, bool now);

  Instant explained_{};
  kube::ObjectRef of_;
  kube::Diagnosis diagnosis_;
};

}  // namespace blackstart::stages
