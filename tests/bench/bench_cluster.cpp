#include "tests/bench/bench_cluster.h"

#include "tests/bench/table.h"

namespace blackstart::test {

BenchCluster::BenchCluster() {
  write("plan.yaml",
        "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: bench}\nspec:\n"
        "  stages:\n    - {name: cluster, uses: kwok.cluster, with: {nodes: 2}}\n");
  measure(to_blackstart({"apply"}));
}

}  // namespace blackstart::test
