// The real world: one Asio event loop, Boost.Process, libcurl, the operating system.
#pragma once

#include <functional>
#include <memory>

#include "orchestrator/world/world.h"

namespace blackstart {

class RealWorld {
 public:
  RealWorld();
  ~RealWorld();
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  World& world();
  /// Runs the loop until `task` ends and rethrows its exception. `on_signal` is called on the loop
  /// for every SIGINT, SIGTERM and SIGHUP (signal number, how many so far).
  void run(Task<void> task, std::function<void(int signal, int count)> on_signal);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace blackstart
