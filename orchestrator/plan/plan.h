// The plan as read: typed, every part with its place, one environment chosen, variables resolved.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "orchestrator/base/yaml.h"
#include "orchestrator/plan/schema.h"
#include "orchestrator/plan/value.h"
#include "orchestrator/world/files.h"

namespace blackstart::plan {

enum class OnFailure { kContinue, kStop };  // independent branches go on, or nothing new starts
enum class Owner { kBlackstart, kArgocd };  // kArgocd: acts only while its thing is absent
enum class Confirm { kNever, kOnce, kAlways };

struct Need {
  std::string stage;
  Place place;
  bool implied = false;  // from ${{ stages.X… }} or from the plan's `cluster:`
};

struct Retry {
  int attempts = 5;  // of an action, the first included
  Duration backoff = std::chrono::milliseconds(800);
  Duration backoff_max = std::chrono::seconds(30);
};

struct Stage {
  std::string name;
  Place place;
  std::string uses;
  const StageSchema* schema = nullptr;  // never null in a valid plan
  yaml::Node with;                      // unresolved; see resolve_options()
  std::vector<Need> needs;              // all edges, implied ones included
  std::optional<yaml::Node> when;
  std::string stack;
  std::vector<std::string> tags;
  Duration timeout = std::chrono::minutes(10);
  bool timeout_given = false;  // it is the plan's, not the default
  Retry retry;
  Confirm confirm = Confirm::kNever;
  std::string confirm_message;
  Owner owner = Owner::kBlackstart;
  OnFailure on_failure = OnFailure::kContinue;
  std::string notes;
};

struct Variable {
  Value value;
  bool sensitive = false;
};

struct Plan {
  std::string name;
  std::string file;    // absolute
  std::string folder;  // of `file`
  std::string environment;
  bool confirm = false;  // the environment asks before anything is changed
  std::string confirm_message;
  std::map<std::string, Variable> vars;
  std::vector<Stage> stages;                 // in file order
  std::optional<yaml::Node> cluster;         // {kubeconfig, context}, unresolved
  std::map<std::string, std::string> tools;  // name -> absolute path
  std::string digest;  // SHA-256 over all files read, the environment and vars
  std::unordered_map<std::string, size_t> positions;  // stage name -> its index in `stages`

  const Stage* find(const std::string& stage) const;  // nullptr = there is none
};

struct Request {
  std::string file;         // absolute path of plan.yaml
  std::string environment;  // empty = spec.defaultEnvironment, else the only one or none
  std::vector<std::pair<std::string, std::string>> vars;  // --var NAME=VALUE
  bool vars_required = true;  // false: a missing required variable is a warning (validate
                              // without values on a CI machine)
};

/// Reads, composes and checks a plan. Everything that is wrong goes to `diagnostics`, all at once;
/// nullopt when there is any error. Touches nothing but files and environment variables.
std::optional<Plan> load(const Files& files, const Environment& environment, const Request& request,
                         const SchemaLookup& schemas, Diagnostics& diagnostics);

/// Only what names the plan: name, file, folder and environment. They may be there though much is
/// wrong with the rest, which `diagnostics` says as far as it was read; nullopt when they are not.
std::optional<Plan> identify(const Files& files, const Request& request, Diagnostics& diagnostics);

/// What stages have published so far: stage -> output -> value. Missing = not known yet.
using Outputs = std::map<std::string, std::map<std::string, boost::json::value>, std::less<>>;

/// Resolves a stage's `with`, fills in the defaults of its options table and checks the types;
/// paths become absolute, outputs that are not known yet Value::kUnknown. Throws Error(kUsage) at
/// the first mistake.
Value resolve_options(const Stage& stage, const Plan& plan, const Outputs& outputs);

/// `when:` as a boolean; NotKnownYet is thrown when it depends on an output that is not there yet.
bool is_wanted(const Stage& stage, const Plan& plan, const Outputs& outputs);

/// The plan's `cluster:` as {kubeconfig, context}, the kubeconfig's path absolute; nullopt when the
/// plan has none. An unknown part stays Value::kUnknown. Throws Error(kUsage) at the first mistake.
std::optional<Value> resolve_cluster(const Plan& plan, const Outputs& outputs);

/// SHA-256 over the canonical options and the content of every file and folder they name.
std::string input_digest(const Value& options, const StageSchema& schema, const Files& files);

}  // namespace blackstart::plan
