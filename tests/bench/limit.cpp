#include "tests/bench/limit.h"

#include <algorithm>
#include <cstdio>

#include "tests/bench/kube_set.h"
#include "tests/bench/table.h"

namespace blackstart::test {

namespace {

constexpr size_t kObjects = 1000;
constexpr size_t kRounds = 3;

struct Tried {
  Setting setting;
  Figures figures;
};

}  // namespace

std::string text_of(const Setting& setting) {
  return std::to_string(setting.at_once) + " over " + std::to_string(setting.connections);
}

Invocation requests_alone(const std::string& kubeconfig, const std::string& requests,
                          const Setting& setting) {
  Invocation patches;
  patches.argv = {RAW_PATCH, kubeconfig, requests, std::to_string(setting.at_once),
                  std::to_string(setting.connections)};
  return patches;
}

Setting fastest_setting(const BenchCluster& cluster, const TemporaryFolder& folder) {
  std::vector<Tried> all;
  for (const int connections : {1, 2}) {
    for (const int at_once : {16, 32, 64}) all.push_back({{at_once, connections}, {}});
  }
  for (size_t turn = 0; turn < kRounds * all.size(); ++turn) {
    // Each round begins with another one, because etcd grows.
    Tried& tried = all[(turn + turn / all.size() * 2) % all.size()];
    const std::string name = "limit-" + std::to_string(turn);
    measure(cluster.to_kubectl({"create", "namespace", name}));
    const KubeSet set = config_maps(folder, cluster.kubeconfig(), name, kObjects);
    tried.figures.push_back(
        measure(requests_alone(cluster.kubeconfig(), set.requests, tried.setting)));
  }
  const auto time = [](const Tried& tried) { return median(tried.figures); };
  const Tried& fastest = *std::ranges::min_element(all, {}, time);
  std::printf("the requests alone, 1,000 ConfigMaps, so many at once over so many connections:");
  for (const Tried& tried : all)
    std::printf(" %s: %.3f s;", text_of(tried.setting).c_str(), time(tried));
  std::printf(" fastest and thus the limit: %s\n", text_of(fastest.setting).c_str());
  return fastest.setting;
}

}  // namespace blackstart::test
