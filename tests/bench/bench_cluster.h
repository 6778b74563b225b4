// A control plane for the benchmarks that work on an API server; gone when destroyed.
#pragma once

#include "tests/integration/support/program.h"

namespace blackstart::test {

/// With two nodes; its constructor throws when it does not come up.
class BenchCluster : public Rehearsal {
 public:
  BenchCluster();
};

}  // namespace blackstart::test
