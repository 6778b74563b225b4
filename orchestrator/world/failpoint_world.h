// Failpoints around the side effects of a world: before and after every process and every HTTP
// write.
#pragma once

#ifdef BLACKSTART_FAILPOINTS

#include "orchestrator/world/http.h"
#include "orchestrator/world/process.h"

namespace blackstart::failpoints {

/// Hits `process.run.before|after:PROGRAM` and `process.daemon.before|after:PROGRAM`, PROGRAM being
/// the file name; the rest passes through. `inner` is not owned.
class FailpointProcesses final : public Processes {
 public:
  explicit FailpointProcesses(Processes& inner) : inner_(inner) {}
  Task<Exit> run(Command command) override;
  Task<Daemon> start_daemon(Command command, std::string log_file) override;
  bool alive(const Daemon& daemon) const override { return inner_.alive(daemon); }
  std::optional<Daemon> find(int pid) const override { return inner_.find(pid); }
  Task<void> stop(Daemon daemon, Duration grace) override { return inner_.stop(daemon, grace); }
  void kill_all() override { inner_.kill_all(); }

 private:
  Processes& inner_;
};

/// Hits `http.write.before|after:METHOD` for what is not GET or HEAD. `inner` is not owned.
class FailpointHttp final : public Http {
 public:
  explicit FailpointHttp(Http& inner) : inner_(inner) {}
  Task<HttpResponse> send(HttpRequest request) override;

 private:
  Http& inner_;
};

}  // namespace blackstart::failpoints

#endif
