// A control plane for the benchmarks that work on an API server; gone when destroyed.
#pragma once

#include <string>

#include "tests/integration/support/shell.h"

namespace blackstart::test {

class BenchCluster {
 public:
  BenchCluster();
  ~BenchCluster();
  const std::string& kubeconfig() const { return kubeconfig_; }
  /// The arguments of a kubectl that talks to it.
  Invocation kubectl(std::vector<std::string> args) const;
  const TemporaryFolder& folder() const { return folder_; }
  const std::string& state() const { return state_; }

 private:
  TemporaryFolder folder_;
  std::string state_, plan_, kubeconfig_;
};

}  // namespace blackstart::test
