// What can stand in the way to a server: an address where nobody answers, and an HTTP proxy.
#pragma once

#include <memory>
#include <string>

#include "tests/unit/kube/virtual_loop.h"

namespace blackstart::faults {

/// An address and port of this machine at which connections are neither made nor refused.
class Blackhole {
 public:
  explicit Blackhole(const std::string& address, int port);
  ~Blackhole();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A proxy for CONNECT.
class Proxy {
 public:
  /// `status` is its answer: 200 makes a tunnel to `port` of this machine, zero is silence.
  Proxy(kube::VirtualLoop& loop, int status, int port);
  ~Proxy();
  std::string url() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace blackstart::faults
