// Starts one process: fork, the settings of the child, exec, and the reason when any of it fails.
#pragma once

#include <boost/asio/io_context.hpp>

#include "orchestrator/world/descriptor.h"
#include "orchestrator/world/group_guard.h"
#include "orchestrator/world/process.h"

namespace blackstart::real {

/// What the child is beside its Command. Streams are the child's ends; not owned.
struct ChildSettings {
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  bool new_session = false;  // else: a process group of its own in our session
  // Set: it dies with us (SIGKILL when the thread that started it ends), and this guard is told of
  // its group. The caller takes the group off before it reaps the process. Not owned.
  GroupGuard* dies_with_us = nullptr;
};

struct Launched {
  int pid = 0;
  Descriptor pidfd;  // readable when the process has ended; the caller reaps it
};

/// Throws Error(kPermanent) naming the program when it cannot be started.
Launched launch(boost::asio::io_context& loop, const Command& command,
                const ChildSettings& settings);

}  // namespace blackstart::real
