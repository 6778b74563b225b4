// The program under test with a state folder and a plan of its own.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "tests/integration/support/shell.h"

namespace blackstart::test {

/// Folder of the pinned tools: BLACKSTART_PARTS/bin or build/parts/bin of the source tree.
std::string parts_folder();
std::string part(const std::string& tool);
/// Skips the running test, loudly and by name, when a tool is not there (CI demands all of them).
#define NEEDS_PART(tool)                                         \
  if (access(::blackstart::test::part(tool).c_str(), X_OK) != 0) \
  GTEST_SKIP() << "NOT RUN: " tool " is not there; scripts/parts/build makes it"

/// A scratch folder with a plan in it; what the plan made is destroyed at the end.
class Rehearsal {
 public:
  /// Without a plan: write one, or init().
  Rehearsal();
  ~Rehearsal();

  /// `blackstart init`; the plan is the starter plan from then on.
  void init();
  void write(const std::string& name, const std::string& content) {
    folder_.write("work/" + name, content);
  }
  std::string folder() const { return folder_.path() + "/work"; }
  std::string state() const { return folder_.path() + "/state"; }

  /// `blackstart ARGS…` in the folder, with this state folder.
  Ran blackstart(std::vector<std::string> args,
                 std::map<std::string, std::string> environment = {}) const;
  Background start(std::vector<std::string> args,
                   std::map<std::string, std::string> environment = {}) const;
  /// The plan makes no cluster but works on this one.
  void use_cluster(std::string kubeconfig) { kubeconfig_ = std::move(kubeconfig); }
  /// What the two of them run, for who measures them.
  Invocation to_blackstart(std::vector<std::string> args,
                           std::map<std::string, std::string> environment = {}) const;
  Invocation to_kubectl(std::vector<std::string> args) const;
  /// The real kubectl against the plan's kwok cluster (stage "cluster"), or the one it uses.
  Ran kubectl(std::vector<std::string> args) const;
  boost::json::value get(const std::string& what) const;  // kubectl get … -o json
  std::string kubeconfig() const {
    return kubeconfig_.empty() ? state() + "/stages/cluster/kubeconfig" : kubeconfig_;
  }
  Ran git(std::vector<std::string> args) const;
  /// Pids of everything that belongs to this rehearsal (its folder is in their command line).
  std::vector<int> processes() const { return processes_with(folder_.path()); }
  void destroy();

 private:
  TemporaryFolder folder_;
  std::string kubeconfig_;
  bool destroyed_ = false;
};

/// The start of a plan with a kwok cluster named "cluster"; stages follow, indented by four.
std::string plan_with_cluster(const std::string& stages);

}  // namespace blackstart::test
