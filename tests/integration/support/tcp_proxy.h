// Stands between a client and a real server, and does to their connections what networks do.
#pragma once

#include <chrono>
#include <memory>

namespace blackstart::test {

/// In a thread of its own. Each call has taken effect when it returns.
class TcpProxy {
 public:
  struct State;
  explicit TcpProxy(int target_port);
  ~TcpProxy();
  int port() const;

  /// Resets all connections; those that come are reset too, until let_in().
  void cut_off();
  void let_in();
  /// All connections of now are half-open: the kernel drops what their clients send, and sends them
  /// nothing, not even an acknowledgement or the end.
  void drop_packets();
  /// Takes what comes on all connections of now, and hands nothing on.
  void swallow();
  /// Holds each piece up for so long.
  void slow_down(std::chrono::milliseconds by);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace blackstart::test
