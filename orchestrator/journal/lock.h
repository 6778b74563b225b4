// One run at a time on one state folder: a kernel lock, freed by the kernel when its holder dies.
#pragma once

#include <memory>
#include <string>

#include "orchestrator/world/world.h"

namespace blackstart::journal {

/// Held until destroyed. Beside the lock lies who holds it and what it is doing, for the second
/// run.
class RunLock {
 public:
  /// Throws Error(kLocked) that says user, host, pid, since when and what the holder is doing.
  static std::unique_ptr<RunLock> acquire(World& world, const std::string& state_folder,
                                          const std::string& command);
  ~RunLock();
  /// "stage argocd: waiting for Deployment argocd-server". Taken at most once a second.
  void set_activity(const std::string& activity);

 private:
  struct Holder;
  explicit RunLock(std::unique_ptr<Holder> holder);
  std::unique_ptr<Holder> holder_;
};

}  // namespace blackstart::journal
