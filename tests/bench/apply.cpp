// Applying sets of objects, against kubectl and against the same requests sent with nothing around
// them; all on one API server. Every figure has a namespace of its own, so that nobody finds what
// another has made. Who begins changes from round to round, because etcd grows.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>

#include "tests/bench/bench_cluster.h"
#include "tests/bench/kube_set.h"
#include "tests/bench/limit.h"
#include "tests/bench/table.h"

namespace blackstart::test {

namespace {

constexpr int kRounds = 6;  // each side is twice the first
constexpr int kRoundsOfMany = 3;
constexpr int kSettledWithin = 60;  // s
constexpr Goal kOfTheLimit{1.3};
constexpr Goal kTwentyTimesFaster{1.0 / 20};
constexpr long kMemoryGoal = 150;  // MB

// What controllers write for the sets' objects.
constexpr const char* kControlled =
    "deployments,replicasets,cronjobs,poddisruptionbudgets,endpoints,endpointslices";

using MakeSet = std::function<KubeSet(const std::string& name_space)>;

// What one way of applying costs at first, and again with nothing to do.
struct Course {
  Figures first, again, diff, wide_diff;
};

class Applying {
 public:
  Applying(const BenchCluster& cluster, std::string name, MakeSet make, Setting limit)
      : cluster_(cluster), name_(std::move(name)), make_(std::move(make)), setting_(limit) {}

  /// kubectl diff takes minutes for ten thousand objects.
  Applying& without_diff() {
    with_diff_ = false;
    return *this;
  }

  void print(int rounds) {
    constexpr std::array kSides{&Applying::ours, &Applying::theirs, &Applying::alone};
    for (int round = 0; round < rounds; ++round) {
      for (size_t turn = 0; turn < kSides.size(); ++turn)
        (this->*kSides[(static_cast<size_t>(round) + turn) % kSides.size()])(fresh());
    }
    row(name_ + ", first", ours_.first, "the requests alone, " + text_of(setting_), limit_,
        kOfTheLimit);
    row(name_ + ", first", ours_.first, "kubectl apply", theirs_.first);
    row(name_ + ", nothing to do", ours_.again, "kubectl apply", theirs_.again, kTwentyTimesFaster);
    if (!with_diff_) return;
    row(name_ + ", nothing to do", ours_.again, "kubectl diff", theirs_.diff, kTwentyTimesFaster);
    row(name_ + ", nothing to do", ours_.again, "kubectl diff --concurrency=32", theirs_.wide_diff,
        kTwentyTimesFaster);
  }

  void print_memory() const {
    const long peak = std::ranges::max(ours_.first, {}, &Figure::peak_kib).peak_kib / 1024;
    row(name_ + ", memory", std::to_string(peak) + " MB at most",
        "under " + std::to_string(kMemoryGoal) + " MB", peak < kMemoryGoal);
  }

 private:
  KubeSet fresh() const {
    static int count = 0;
    const std::string name = "bench-" + std::to_string(++count);
    measure(cluster_.to_kubectl({"create", "namespace", name}));
    return make_(name);
  }

  void ours(const KubeSet& set) {
    const Invocation apply = cluster_.to_blackstart(
        {"apply", "--state", cluster_.folder() + "/of-" + set.name_space, set.plan});
    ours_.first.push_back(timed(apply, set));
    ours_.again.push_back(timed(apply, set));
  }

  void theirs(const KubeSet& set) {
    const Invocation apply = kubectl("apply", set);
    theirs_.first.push_back(timed(apply, set));
    theirs_.again.push_back(timed(apply, set));
    if (!with_diff_) return;
    Invocation diff = kubectl("diff", set);
    theirs_.diff.push_back(timed(diff, set));
    diff.argv.push_back("--concurrency=32");
    theirs_.wide_diff.push_back(timed(diff, set));
  }

  void alone(const KubeSet& set) {
    limit_.push_back(timed(requests_alone(cluster_.kubeconfig(), set.requests, setting_), set));
  }

  Invocation kubectl(const char* verb, const KubeSet& set) const {
    return cluster_.to_kubectl({verb, "--server-side", "-n", set.name_space, "-f", set.manifests});
  }

  Figure timed(const Invocation& invocation, const KubeSet& set) const {
    const Figure figure = measure(invocation);
    settle(set);
    return figure;
  }

  // The controllers' work for one side must not run in the time of the next: what they write has
  // not changed for a second.
  void settle(const KubeSet& set) const {
    const Invocation versions =
        cluster_.to_kubectl({"get", kControlled, "-n", set.name_space, "-o",
                             "jsonpath={.items[*].metadata.resourceVersion}"});
    std::string before = run(versions).out;
    for (int second = 0; second < kSettledWithin; ++second) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      const std::string now = run(versions).out;
      if (now == before) return;
      before = now;
    }
    throw std::runtime_error("the controllers did not come to rest in " + set.name_space);
  }

  const BenchCluster& cluster_;
  std::string name_;
  MakeSet make_;
  Setting setting_;
  bool with_diff_ = true;
  Course ours_, theirs_;
  Figures limit_;
};

}  // namespace

void bench_apply() {
  const BenchCluster cluster;
  const TemporaryFolder folder;
  const auto maps = [&](size_t count) -> MakeSet {
    return [&, count](const std::string& name_space) {
      return config_maps(folder, cluster.kubeconfig(), name_space, count);
    };
  };
  const MakeSet mixed = [&](const std::string& name_space) {
    return mixed_set(folder, cluster.kubeconfig(), name_space, 500);
  };
  const Setting setting = fastest_setting(cluster, folder);
  Applying(cluster, "1,000 ConfigMaps", maps(1000), setting).print(kRounds);
  Applying(cluster, "500 objects of ten kinds", mixed, setting).print(kRounds);
  Applying many(cluster, "10,000 ConfigMaps", maps(10'000), setting);
  many.without_diff().print(kRoundsOfMany);
  many.print_memory();
}

}  // namespace blackstart::test
