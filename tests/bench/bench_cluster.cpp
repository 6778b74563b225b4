#include "tests/bench/bench_cluster.h"

#include <cstdio>

#include "tests/bench/table.h"

namespace blackstart::test {

BenchCluster::BenchCluster() : state_(folder_.path() + "/state") {
  plan_ = folder_.write("cluster.yaml",
                        "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: bench}\n"
                        "spec:\n  stages:\n"
                        "    - {name: cluster, uses: kwok.cluster, with: {nodes: 2}}\n");
  const std::string home = folder_.path() + "/cluster";
  measure(blackstart({"apply", "--state", home, plan_}, state_));
  kubeconfig_ = home + "/stages/cluster/kubeconfig";
}

BenchCluster::~BenchCluster() {
  const Ran gone =
      run(blackstart({"destroy", "--yes", "--state", folder_.path() + "/cluster", plan_}, state_));
  if (gone.code != 0) std::fprintf(stderr, "%s\n", gone.all().c_str());
}

Invocation BenchCluster::kubectl(std::vector<std::string> args) const {
  Invocation invocation;
  invocation.argv = {part("kubectl"), "--kubeconfig", kubeconfig_};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  return invocation;
}

}  // namespace blackstart::test
