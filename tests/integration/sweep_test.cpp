// The kill sweep on real parts: die at a point of the starter plan's apply, run again, compare.
//
// The gate takes a seeded sample; BLACKSTART_SWEEP=all (scripts/test --sweep) takes every point.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <random>
#include <set>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;

constexpr size_t kSample = 3;

/// What must be equal at the end, however often we died on the way: every object but what names
/// itself anew each time (pods, replica sets, events, leases, endpoints, tokens).
std::set<std::string> end_state(const Rehearsal& rehearsal) {
  std::set<std::string> found;
  json::value all = rehearsal.get(
      "namespaces,customresourcedefinitions,configmaps,services,serviceaccounts,deployments,statefulsets,roles,"
      "rolebindings,clusterroles,clusterrolebindings,networkpolicies,appprojects,applications -A");
  for (const json::value& item : all.at("items").as_array()) {
    const json::object& metadata = item.at("metadata").as_object();
    std::string name = std::string(item.at("kind").as_string()) + "/";
    if (const json::value* space = metadata.if_contains("namespace")) name += std::string(space->as_string()) + "/";
    name += metadata.at("name").as_string();
    if (item.at("kind").as_string() == "Application") {
      name += " " + std::string(item.at("status").at("sync").at("status").as_string()) + " " +
              std::string(item.at("status").at("health").at("status").as_string());
    }
    found.insert(name);
  }
  return found;
}

struct Undisturbed {
  std::vector<std::string> points;
  std::set<std::string> state;
};

Undisturbed run_undisturbed() {
  Undisturbed result;
  Rehearsal rehearsal;
  rehearsal.init();
  Ran ran = rehearsal.blackstart({"apply"}, {{"BLACKSTART_FAILPOINT_COUNT", rehearsal.folder() + "/../points"}});
  EXPECT_EQ(ran.code, 0) << ran.all();
  std::istringstream lines(read_file(rehearsal.folder() + "/../points"));
  for (std::string line; std::getline(lines, line);) result.points.push_back(line);
  result.state = end_state(rehearsal);
  return result;
}

void die_and_go_on(const Undisturbed& undisturbed, size_t point) {
  SCOPED_TRACE("point " + undisturbed.points[point - 1]);
  Rehearsal rehearsal;
  rehearsal.init();
  Ran died = rehearsal.blackstart({"apply"}, {{"BLACKSTART_FAILPOINT_KILL", std::to_string(point)}});
  // Points may be fewer in a run that had to wait less: then it has ended well before.
  EXPECT_TRUE(died.code == 128 + SIGKILL || died.code == 0) << died.all();
  Ran again = rehearsal.blackstart({"apply", "--yes"});
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_EQ(end_state(rehearsal), undisturbed.state);
  Ran destroyed = rehearsal.blackstart({"destroy", "--yes"});
  EXPECT_EQ(destroyed.code, 0) << destroyed.all();
  EXPECT_TRUE(rehearsal.processes().empty());
}

std::vector<size_t> points_to_try(size_t count) {
  std::vector<size_t> points(count);
  for (size_t i = 0; i < count; ++i) points[i] = i + 1;
  const char* sweep = std::getenv("BLACKSTART_SWEEP");
  if (sweep != nullptr && std::string(sweep) == "all") return points;
  const char* seed = std::getenv("BLACKSTART_SWEEP_SEED");
  std::mt19937 random(seed != nullptr ? static_cast<unsigned>(std::atoi(seed)) : 20261121u);
  std::ranges::shuffle(points, random);
  points.resize(std::min(points.size(), kSample));
  return points;
}

TEST(Sweep, KilledAtAnyPoint_TheSameCommandConverges) {
  for (const char* tool : {"kwokctl", "helm", "argocd", "kustomize", "redis-server"}) {
    if (access(part(tool).c_str(), X_OK) != 0) GTEST_SKIP() << "NOT RUN: " << tool << " is not there";
  }
  Undisturbed undisturbed = run_undisturbed();
  ASSERT_GT(undisturbed.points.size(), 20u) << "the program must be built with failpoints";
  std::vector<size_t> points = points_to_try(undisturbed.points.size());
  for (size_t point : points) die_and_go_on(undisturbed, point);
  std::printf("starter plan on real parts: %zu of %zu points tried\n", points.size(), undisturbed.points.size());
}

}  // namespace
}  // namespace blackstart::test
