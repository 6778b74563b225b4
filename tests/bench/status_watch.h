// When Deployments became Available, as a watch of their own saw it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace blackstart::test {

using Moments = std::map<std::string, std::chrono::system_clock::time_point>;

/// Watches the Deployments of a namespace, in a thread of its own, from the moment of its making;
/// throws when the server does not let it.
class StatusWatch {
 public:
  StatusWatch(const std::string& kubeconfig, const std::string& name_space);
  ~StatusWatch();
  /// Ends the watch. By name, the first time that a Deployment had all its replicas available.
  Moments stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace blackstart::test
