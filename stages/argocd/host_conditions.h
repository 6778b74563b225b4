// What must be in the cluster before Argo CD's components can be started on the host: watched.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/kube/client.h"
#include "stages/argocd/host_status.h"
#include "stages/kube/watches.h"

namespace blackstart::stages::argocd {

class HostConditions {
 public:
  /// Says of each component what it waits for. A cluster that does not answer becomes the status'
  /// `trouble`; other failures are thrown.
  Task<void> judge(engine::Context& context, HostStatus& status);

  /// What the component's own workload in the cluster would give it; empty when none was seen.
  std::map<std::string, std::string> environment(const std::string& component) const;
  /// The context of the kubeconfig that was verified; nullopt before the first judge().
  std::optional<std::string> verified_context() const;

  /// Nothing is watched before the first judge().
  bool watching() const { return !watches_.empty(); }
  Task<void> changed(const Executor& executor) { co_await watches_.changed(executor); }
  Task<void> stop() { co_await watches_.stop(); }

 private:
  void judge_components(const std::string& name_space, HostStatus& status);

  std::shared_ptr<kube::Client> client_;  // outlives the watches
  Watches watches_;
  std::map<std::string, std::map<std::string, std::string>> environments_;  // by component
};

}  // namespace blackstart::stages::argocd
