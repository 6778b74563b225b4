// Processes that outlive us: started in a session of their own, found again by number and start
// time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <memory>

#include "orchestrator/world/process.h"

namespace blackstart::real {

class Daemons {
 public:
  explicit Daemons(boost::asio::io_context& loop) : loop_(loop) {}

  Daemon start(const Command& command, const std::string& log_file);
  bool alive(const Daemon& daemon) const;
  std::optional<Daemon> find(int pid) const;
  Task<void> stop(Clock& clock, Daemon daemon, Duration grace);

 private:
  using Watched = boost::asio::posix::stream_descriptor;
  void reap_when_ended(int pid, int pidfd);
  void watch(int pid);

  boost::asio::io_context& loop_;
  std::map<int, std::unique_ptr<Watched>> ours_;  // by pid: still our children
};

}  // namespace blackstart::real
