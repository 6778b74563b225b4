// Applying sets of objects, against kubectl and against the same requests sent with nothing around
// them; all on one API server. Every figure has a namespace of its own, so that nobody finds what
// another has made.
#include <functional>

#include "tests/bench/bench_cluster.h"
#include "tests/bench/kube_set.h"
#include "tests/bench/table.h"

namespace blackstart::test {

namespace {

constexpr int kRounds = 5;

using MakeSet = std::function<KubeSet(const std::string& name_space)>;

// What one way of applying costs at first, and again with nothing to do.
struct Course {
  std::vector<Figure> first, again, diff;
};

class Applying {
 public:
  Applying(const BenchCluster& cluster, std::string name, MakeSet make)
      : cluster_(cluster), name_(std::move(name)), make_(std::move(make)) {}

  void print(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      by_blackstart(fresh(round, "ours"));
      by_kubectl(fresh(round, "theirs"));
      const Figure few = raw(fresh(round, "few"), "16");
      const Figure many = raw(fresh(round, "many"), "100");
      limit_.push_back(few.seconds < many.seconds ? few : many);
    }
    row(name_ + ", first", median(ours_.first), "the requests alone", median(limit_));
    row(name_ + ", first", median(ours_.first), "kubectl apply", median(theirs_.first));
    row(name_ + ", nothing to do", median(ours_.again), "kubectl apply", median(theirs_.again));
    row(name_ + ", nothing to do", median(ours_.again), "kubectl diff", median(theirs_.diff));
  }

 private:
  KubeSet fresh(int round, const std::string& who) {
    const std::string name =
        "bench-" + std::to_string(++namespaces_) + "-" + who + std::to_string(round);
    measure(cluster_.kubectl({"create", "namespace", name}));
    return make_(name);
  }

  void by_blackstart(const KubeSet& set) {
    const Invocation apply =
        blackstart({"apply", "--state", cluster_.folder().path() + "/" + set.name_space, set.plan},
                   cluster_.state());
    ours_.first.push_back(measure(apply));
    ours_.again.push_back(measure(apply));
  }

  void by_kubectl(const KubeSet& set) {
    const Invocation apply =
        cluster_.kubectl({"apply", "--server-side", "-n", set.name_space, "-f", set.manifests});
    theirs_.first.push_back(measure(apply));
    theirs_.again.push_back(measure(apply));
    theirs_.diff.push_back(measure(
        cluster_.kubectl({"diff", "--server-side", "-n", set.name_space, "-f", set.manifests})));
  }

  // The requests alone, over one HTTP/2 connection.
  Figure raw(const KubeSet& set, const char* streams) {
    Invocation patches;
    patches.argv = {RAW_PATCH, cluster_.kubeconfig(), set.requests, streams};
    return measure(patches);
  }

  const BenchCluster& cluster_;
  std::string name_;
  MakeSet make_;
  Course ours_, theirs_;
  std::vector<Figure> limit_;
  static inline int namespaces_ = 0;
};

}  // namespace

void bench_apply() {
  const BenchCluster cluster;
  const TemporaryFolder& folder = cluster.folder();
  const auto maps = [&](size_t count) -> MakeSet {
    return [&, count](const std::string& name_space) {
      return config_maps(folder, cluster.kubeconfig(), name_space, count);
    };
  };
  Applying(cluster, "1,000 ConfigMaps", maps(1000)).print(kRounds);
  Applying(cluster, "500 objects of ten kinds", [&](const std::string& name_space) {
    return mixed_set(folder, cluster.kubeconfig(), name_space, 500);
  }).print(kRounds);
  Applying(cluster, "10,000 ConfigMaps", maps(10'000)).print(1);
}

}  // namespace blackstart::test
