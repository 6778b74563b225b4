// All that is outside of the starter plan: the repository, the tools, the cluster, Argo CD.
#pragma once

#include "tests/simulation/machine.h"
#include "tests/simulation/outside/argocd.h"
#include "tests/simulation/outside/kwokctl.h"
#include "tests/simulation/sweep.h"
#include "tests/simulation/weather.h"

namespace blackstart::sim {

class Homelab final : public Universe {
 public:
  explicit Homelab(uint64_t seed);

  SimWorld& world() override { return world_; }
  Outcome run() override;
  Outcome run(Request request);
  /// Every object without what differs from life to life, the processes that run, and what the
  /// state folder must not hold.
  std::string end_state() override;
  std::vector<std::string> broken_promises() override;
  int writes() override;

  /// Between the program and the API server; null = fair. helm meets it too.
  std::unique_ptr<Weather> weather;
  /// The API server of the one cluster; null when there is none or it does not run.
  std::shared_ptr<ApiServer> api() const;
  Kwokctl& kwokctl() { return kwokctl_; }

 private:
  Task<HttpResponse> send(HttpRequest request);
  Task<Exit> run_tool(Command command);
  void process_started(const SimDaemon& daemon);
  void process_gone(int pid);

  SimWorld world_;
  Kwokctl kwokctl_{world_};
  ArgoCd argocd_;
  Machine machine_;
  int tools_at_work_ = 0;  // runs of those that change something
};

}  // namespace blackstart::sim
