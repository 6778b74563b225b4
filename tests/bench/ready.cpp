// How long after a Deployment has become Available its stage is done. The Deployments' status is
// watched beside the program, over a connection of its own; the program's event stream says when a
// stage was done.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "tests/bench/bench_cluster.h"
#include "tests/bench/status_watch.h"
#include "tests/bench/table.h"

namespace blackstart::test {

namespace {

namespace json = boost::json;
using Moment = std::chrono::system_clock::time_point;

constexpr int kRounds = 20;
constexpr int kStages = 10;
constexpr double kGoal = 50;  // ms

std::string name_of(int stage) { return "d" + std::to_string(stage); }

std::string plan_of(const std::string& kubeconfig, const std::string& name_space) {
  std::string plan =
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: ready}\n"
      "spec:\n  cluster: {kubeconfig: " +
      kubeconfig + "}\n  stages:\n";
  for (int i = 0; i < kStages; ++i) {
    const std::string name = name_of(i);
    plan += "    - name: " + name +
            "\n      uses: kube.manifests\n      with:\n        namespace: " + name_space +
            "\n        inline:\n          - apiVersion: apps/v1\n            kind: Deployment\n"
            "            metadata: {name: " +
            name +
            "}\n            spec:\n"
            "              selector: {matchLabels: {app: " +
            name +
            "}}\n"
            "              template:\n                metadata: {labels: {app: " +
            name +
            "}}\n"
            "                spec: {containers: [{name: main, image: example.org/main}]}\n";
  }
  return plan;
}

Moment moment_of(const std::string& utc) {  // 2026-11-21T23:12:48.822Z
  std::tm parts{};
  const char* rest = strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  const double fraction = rest ? std::strtod(rest, nullptr) : 0;
  return std::chrono::system_clock::from_time_t(timegm(&parts)) +
         std::chrono::microseconds(static_cast<int64_t>(fraction * 1e6));
}

Moments when_done(const std::string& events) {
  Moments moments;
  std::istringstream lines(events);
  for (std::string line; std::getline(lines, line);) {
    const json::value event = json::parse(line);
    const json::object& fields = event.as_object();
    if (fields.at("type") != "stage" || fields.at("state") != "done") continue;
    moments[fields.at("stage").as_string().c_str()] =
        moment_of(fields.at("ts").as_string().c_str());
  }
  return moments;
}

// In milliseconds, one for each stage. The stream's moments are cut to milliseconds: a stage was
// done up to one later than it says.
std::vector<double> lags_of(const BenchCluster& cluster, const std::string& name_space) {
  measure(cluster.to_kubectl({"create", "namespace", name_space}));
  const TemporaryFolder folder;
  const std::string plan = folder.write("plan.yaml", plan_of(cluster.kubeconfig(), name_space));
  const std::string events = folder.path() + "/events";
  StatusWatch watch(cluster.kubeconfig(), name_space);
  measure(cluster.to_blackstart(
      {"apply", "--state", folder.path() + "/state", "--events", events, plan}));
  const Moments available = watch.stop();
  std::vector<double> lags;
  for (const auto& [stage, done] : when_done(read_file(events))) {
    const auto lag = done + std::chrono::milliseconds(1) - available.at(stage);
    lags.push_back(std::chrono::duration<double, std::milli>(lag).count());
  }
  return lags;
}

}  // namespace

void bench_ready() {
  const BenchCluster cluster;
  std::vector<double> lags;
  for (int round = 0; round < kRounds; ++round) {
    for (const double lag : lags_of(cluster, "ready-" + std::to_string(round))) lags.push_back(lag);
  }
  std::ranges::sort(lags);
  const auto at = [&lags](double share) {
    return lags[static_cast<size_t>(std::ceil(share * static_cast<double>(lags.size() - 1)))];
  };
  // Negative: the program had its event before the watch beside it had the same one.
  const auto negative = std::ranges::count_if(lags, [](double lag) { return lag < 0; });
  char seen[200];
  std::snprintf(
      seen, sizeof seen,
      "%zu times: least %.1f ms (%td negative), median %.1f ms, p99 %.1f ms, most %.1f ms",
      lags.size(), lags.front(), negative, at(0.5), at(0.99), lags.back());
  row("Deployment Available to stage done", seen, "p99 under 50 ms", at(0.99) < kGoal);
}

}  // namespace blackstart::test
