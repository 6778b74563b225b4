#include "tests/integration/support/program.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/parse.hpp>
#include <filesystem>

namespace blackstart::test {

std::string parts_folder() {
  const char* named = std::getenv("BLACKSTART_PARTS");
  return named != nullptr ? std::string(named) + "/bin"
                          : std::string(SOURCE_FOLDER) + "/build/parts/bin";
}

std::string part(const std::string& tool) { return parts_folder() + "/" + tool; }

Rehearsal::Rehearsal() { std::filesystem::create_directories(folder()); }

Rehearsal::~Rehearsal() {
  if (!destroyed_) destroy();
  // A failed test must not leave a cluster behind, whatever destroy made of it.
  for (int pid : processes()) kill(pid, SIGKILL);
}

void Rehearsal::destroy() {
  destroyed_ = true;
  if (std::filesystem::exists(folder() + "/plan.yaml")) blackstart({"destroy", "--yes"});
}

Invocation Rehearsal::to_blackstart(std::vector<std::string> args,
                                    std::map<std::string, std::string> environment) const {
  Invocation invocation;
  static const std::vector<std::string> stateful = {"plan", "apply", "status", "destroy", "runs"};
  bool has_state = !args.empty() && std::ranges::find(stateful, args[0]) != stateful.end();
  if (has_state && std::ranges::find(args, "--state") == args.end()) {
    args.push_back("--state");
    args.push_back(state());
  }
  invocation.argv = {BLACKSTART_PROGRAM};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  invocation.folder = folder();
  environment.emplace("BLACKSTART_PARTS", std::filesystem::path(parts_folder()).parent_path());
  invocation.environment = std::move(environment);
  return invocation;
}

Ran Rehearsal::blackstart(std::vector<std::string> args,
                          std::map<std::string, std::string> environment) const {
  return run(to_blackstart(std::move(args), std::move(environment)));
}

Background Rehearsal::start(std::vector<std::string> args,
                            std::map<std::string, std::string> environment) const {
  return Background(to_blackstart(std::move(args), std::move(environment)));
}

void Rehearsal::init() {
  Ran made = blackstart({"init", folder(), "--name", "homelab"});
  ASSERT_EQ(made.code, 0) << made.all();
}

Invocation Rehearsal::to_kubectl(std::vector<std::string> args) const {
  Invocation invocation;
  invocation.argv = {part("kubectl"), "--kubeconfig", kubeconfig()};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  return invocation;
}

Ran Rehearsal::kubectl(std::vector<std::string> args) const {
  Invocation invocation = to_kubectl(std::move(args));
  invocation.timeout = std::chrono::seconds(60);
  return run(invocation);
}

boost::json::value Rehearsal::get(const std::string& what) const {
  std::vector<std::string> args = {"get"};
  for (size_t at = 0; at < what.size();) {
    size_t space = std::min(what.find(' ', at), what.size());
    args.push_back(what.substr(at, space - at));
    at = space + 1;
  }
  args.push_back("-o");
  args.push_back("json");
  Ran answer = kubectl(args);
  boost::json::parse_options deep;  // CustomResourceDefinitions nest deeper than the default allows
  deep.max_depth = 512;
  return answer.code == 0 ? boost::json::parse(answer.out, {}, deep) : boost::json::value();
}

Ran Rehearsal::git(std::vector<std::string> args) const {
  Invocation invocation;
  invocation.argv = {
      "git", "-C", folder(), "-c", "user.name=Test", "-c", "user.email=test@example.com"};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  return run(invocation);
}

std::string plan_with_cluster(const std::string& stages) {
  return "apiVersion: blackstart.dev/v1alpha1\n"
         "kind: Plan\n"
         "metadata: {name: test}\n"
         "spec:\n"
         "  cluster: {kubeconfig: \"${{ stages.cluster.outputs.kubeconfig }}\"}\n"
         "  stages:\n"
         "    - {name: cluster, uses: kwok.cluster, with: {nodes: 1}}\n" +
         stages;
}

}  // namespace blackstart::test
