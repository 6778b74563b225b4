#include "tests/integration/sweep.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <random>
#include <sstream>
#include <thread>

namespace blackstart::test {
namespace {

namespace json = boost::json;

constexpr size_t kSample = 3;
/// Of a hundred points tried; the rest belong to waiting, which a run may have less of.
constexpr size_t kLeastDeaths = 90;
/// What every run passes as often.
constexpr std::string_view kEveryTime[] = {"act.", "identity.", "applied."};

/// What every cluster, or the passing of time, makes its own.
constexpr const char* kOwn[] = {
    "uid",       "resourceVersion", "generation",      "creationTimestamp",
    "clusterIP", "clusterIPs",      "managedFields",   "status",
    "caBundle",  "operation",       "ownerReferences", "nodePort"};
/// Objects whose whole content is a cluster's own: its CA, and the Service of its API server's
/// port.
constexpr const char* kOwnContent[] = {"kube-root-ca.crt", "extension-apiserver-authentication",
                                       "kubernetes"};

/// The value without what is a cluster's own.
json::value common(const json::value& value) {
  if (const json::array* items = value.if_array()) {
    json::array kept;
    for (const json::value& item : *items) kept.push_back(common(item));
    return kept;
  }
  if (!value.is_object()) return value;
  json::object kept;
  for (const auto& [key, inner] : value.get_object()) {
    if (std::ranges::find(kOwn, key) == std::end(kOwn)) kept[key] = common(inner);
  }
  return kept;
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

/// "kind/namespace/name" -> content, with every mention of the rehearsal's own folder made equal.
std::pair<std::string, std::string> comparable(const json::value& item, const std::string& folder) {
  const json::object& metadata = item.at("metadata").as_object();
  const std::string name = text_of(metadata, "name");
  std::string content;
  if (std::ranges::find(kOwnContent, name) == std::end(kOwnContent))
    content = json::serialize(common(item));
  for (size_t at = content.find(folder); at != std::string::npos; at = content.find(folder, at))
    content.replace(at, folder.size(), "FOLDER");
  if (const json::value* status = item.as_object().if_contains("status");
      status != nullptr && text_of(item.as_object(), "kind") == "Application") {
    content += text_of(status->at("sync").as_object(), "status") +
               text_of(status->at("health").as_object(), "status");
  }
  return {text_of(item.as_object(), "kind") + "/" + text_of(metadata, "namespace") + "/" + name,
          content};
}

/// What must be equal at the end, however often we died on the way: every object, with its content,
/// but what names itself anew each time (pods, replica sets, events, leases, endpoints, tokens).
std::map<std::string, std::string> end_state(const Rehearsal& rehearsal,
                                             const std::string& objects) {
  std::map<std::string, std::string> found;
  const json::value all = rehearsal.get(objects + " -A");
  for (const json::value& item : all.at("items").as_array())
    found.insert(comparable(item, rehearsal.folder()));
  return found;
}

/// One line for each object that is missing, too much, or another.
std::string differences(const std::map<std::string, std::string>& wanted,
                        const std::map<std::string, std::string>& found) {
  std::string lines;
  for (const auto& [name, content] : wanted) {
    auto other = found.find(name);
    if (other == found.end())
      lines += name + " is missing\n";
    else if (other->second != content)
      lines += name + " is\n  " + other->second + "\ninstead of\n  " + content + "\n";
  }
  for (const auto& [name, content] : found) {
    if (!wanted.contains(name)) lines += name + " is too much\n";
  }
  return lines;
}

/// A point by its name, which time does not change: the N-th time that it is passed, "NAME#N".
std::vector<std::string> points_of(const std::string& counted) {
  std::vector<std::string> points;
  std::map<std::string, int> passed;
  std::istringstream lines(counted);
  for (std::string number, name; lines >> number && std::getline(lines >> std::ws, name);)
    points.push_back(name + "#" + std::to_string(++passed[name]));
  return points;
}

struct Undisturbed {
  std::vector<std::string> points;
  std::map<std::string, std::string> state;
};

Undisturbed run_undisturbed(const SweptPlan& plan) {
  Undisturbed result;
  Rehearsal rehearsal;
  plan.lay_out(rehearsal, 0);
  Ran ran = rehearsal.blackstart(
      {"apply"}, {{"BLACKSTART_FAILPOINT_COUNT", rehearsal.folder() + "/../points"}});
  EXPECT_EQ(ran.code, 0) << ran.all();
  result.points = points_of(read_file(rehearsal.folder() + "/../points"));
  result.state = end_state(rehearsal, plan.objects);
  EXPECT_GE(result.state.size(), plan.least_objects);
  return result;
}

struct Tally {
  std::atomic<size_t> tried = 0, died = 0, converged = 0;
};

/// Does the same command bring all of it?
bool converges(const SweptPlan& plan, const Undisturbed& undisturbed, Rehearsal& rehearsal) {
  Ran again = rehearsal.blackstart({"apply", "--yes"});
  EXPECT_EQ(again.code, 0) << again.all();
  std::string different = differences(undisturbed.state, end_state(rehearsal, plan.objects));
  EXPECT_TRUE(different.empty()) << different;
  return again.code == 0 && different.empty();
}

void die_and_go_on(const SweptPlan& plan, const Undisturbed& undisturbed, const std::string& point,
                   size_t worker, Tally& tally) {
  SCOPED_TRACE("point " + point);
  Rehearsal rehearsal;
  plan.lay_out(rehearsal, worker);
  Ran died = rehearsal.blackstart({"apply"}, {{"BLACKSTART_FAILPOINT_KILL", point}});
  const bool dead = died.code == 128 + SIGKILL;
  const bool may_live = std::ranges::none_of(
      kEveryTime, [&point](std::string_view start) { return point.starts_with(start); });
  EXPECT_TRUE(dead || (may_live && died.code == 0)) << died.all();
  const bool whole = converges(plan, undisturbed, rehearsal);
  std::printf("%zu of %zu points: %s at %s, %s\n", ++tally.tried, undisturbed.points.size(),
              dead ? "died" : "DID NOT DIE", point.c_str(),
              whole ? "converged" : "DID NOT CONVERGE");
  std::fflush(stdout);
  tally.died += dead;
  tally.converged += whole;
  Ran destroyed = rehearsal.blackstart({"destroy", "--yes"});
  EXPECT_EQ(destroyed.code, 0) << destroyed.all();
  plan.destroyed(rehearsal);
}

std::vector<std::string> points_to_try(std::vector<std::string> points) {
  const char* sweep = std::getenv("BLACKSTART_SWEEP");
  if (sweep != nullptr && std::string(sweep) == "all") return points;
  const char* seed = std::getenv("BLACKSTART_SWEEP_SEED");
  std::mt19937 random(seed != nullptr ? static_cast<unsigned>(std::atoi(seed)) : 20261121u);
  std::ranges::shuffle(points, random);
  points.resize(std::min(points.size(), kSample));
  return points;
}

}  // namespace

void sweep(const SweptPlan& plan) {
  const Undisturbed undisturbed = run_undisturbed(plan);
  ASSERT_GT(undisturbed.points.size(), 20u) << "the program must be built with failpoints";
  const std::vector<std::string> points = points_to_try(undisturbed.points);
  std::atomic<size_t> next = 0;
  Tally tally;
  auto work = [&](size_t worker) {
    for (size_t i = next++; i < points.size(); i = next++)
      die_and_go_on(plan, undisturbed, points[i], worker, tally);
  };
  std::vector<std::jthread> workers;
  for (size_t i = 0; i < kSweepsAtOnce; ++i) workers.emplace_back(work, i);
  workers.clear();
  std::printf("%s on real parts, of %zu points: died %zu of %zu, converged %zu of %zu\n",
              plan.name.c_str(), undisturbed.points.size(), tally.died.load(), points.size(),
              tally.converged.load(), points.size());
  EXPECT_EQ(tally.converged, points.size());
  EXPECT_GE(tally.died, points.size() * kLeastDeaths / 100) << "too few to say anything";
}

}  // namespace blackstart::test
