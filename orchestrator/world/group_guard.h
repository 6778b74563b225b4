// Kills the process groups of Processes::run when we are gone, however we went.
#pragma once

#include "orchestrator/world/descriptor.h"

namespace blackstart::real {

/// A small process beside ours with a list of process groups. It waits for the end of a pipe that
/// only we hold open; then it kills the groups that are still on its list. The kernel's own
/// "signal at the death of the parent" reaches only direct children, not what they started.
class GroupGuard {
 public:
  /// Forks the guard. Where that is not possible there is none, and the calls below do nothing:
  /// no reason to stop a rebuild.
  GroupGuard();
  /// Ends the guard and reaps it; groups that are still on its list are left alone.
  ~GroupGuard();
  GroupGuard(const GroupGuard&) = delete;
  GroupGuard& operator=(const GroupGuard&) = delete;

  /// Puts a group on the list. A single system call: for a child between fork and exec, so that
  /// nothing that was started is ever missing.
  void add(int group) const;
  /// Takes it off. Call while the group's leader is not reaped: until then the number cannot be
  /// given to a process that has nothing to do with us.
  void remove(int group);

  /// The guard's process; 0 = none.
  int pid() const { return pid_; }

 private:
  void end();

  Descriptor list_;  // the write end of its pipe
  int pid_ = 0;
};

}  // namespace blackstart::real
