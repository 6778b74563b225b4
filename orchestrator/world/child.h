// One running child process of Processes::run, with its group and its pipes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "orchestrator/world/async.h"
#include "orchestrator/world/group_guard.h"
#include "orchestrator/world/line_splitter.h"
#include "orchestrator/world/process.h"

namespace blackstart::real {

/// Keeps the last `limit` bytes of a stream.
class Tail {
 public:
  explicit Tail(size_t limit) : limit_(limit) {}
  void append(std::string_view data);
  std::string take();
  bool truncated() const { return truncated_; }

 private:
  void shorten();

  size_t limit_;
  std::string kept_;
  bool truncated_ = false;
};

/// Starts in the constructor. While it exists its process number is not reused: the process is
/// reaped by finish() or, killed with its group, by the destructor. Until then the guard has its
/// group.
class Child {
 public:
  Child(boost::asio::io_context& loop, Command command, std::shared_ptr<GroupGuard> guard);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Feeds and reads the pipes until they are closed.
  Task<void> pump();
  Task<void> wait_for_exit();
  void signal_group(int signal);
  Duration grace() const { return command_.grace; }
  /// Reaps the process, which must have ended. Call once.
  Exit finish();
  int pid() const { return pid_; }

 private:
  using Pipe = boost::asio::posix::stream_descriptor;
  Task<void> read(Pipe& pipe, Stream stream, Tail& tail);
  Task<void> feed();
  int reap();

  boost::asio::io_context& loop_;
  Command command_;
  std::shared_ptr<GroupGuard> guard_;  // a child may outlive the Processes that started it
  Pipe stdin_;
  Pipe stdout_;
  Pipe stderr_;
  Pipe pidfd_;
  Tail out_;
  Tail err_;
  int pid_ = 0;  // 0 = reaped
};

}  // namespace blackstart::real
