#include "orchestrator/plan/overlay.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/grammar.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

using Entry = std::pair<yaml::Node, yaml::Node>;

bool is_null(const yaml::Node& node) {
  return !node.is_list() && !node.is_map() && yaml::scalar_value(node).is_null();
}

void set_entry(yaml::Node& base, const Entry& entry) {
  auto same_key = [&](const Entry& other) { return other.first.scalar == entry.first.scalar; };
  auto found = std::ranges::find_if(base.entries, same_key);
  if (is_null(entry.second)) {
    if (found != base.entries.end()) base.entries.erase(found);
  } else {
    if (found == base.entries.end()) found = base.entries.emplace(found);
    found->first = entry.first;
    merge_patch(found->second, entry.second);
  }
}

bool is_patch_key(const Entry& entry) {
  return std::ranges::find(patch_keys(), entry.first.scalar, &OptionSpec::name) !=
         patch_keys().end();
}

void patch_stage(yaml::Node& stage, const yaml::Node& patch) {
  bool other_type = patch.find("uses") != nullptr && patch.find("with") != nullptr;
  // Another stage type takes other options: the old ones make no sense under the new.
  if (other_type)
    std::erase_if(stage.entries, [](const Entry& entry) { return entry.first.scalar == "with"; });
  for (const Entry& entry : patch.entries) {
    if (is_patch_key(entry)) set_entry(stage, entry);  // others have been reported
  }
}

void check_patch(const NamedNode& patch, const std::string& environment, Diagnostics& diagnostics) {
  if (is_null(patch.node)) return;
  std::string what = "the patch of stage '" + patch.name + "' in environment '" + environment + "'";
  Value keys = outline(patch.node, 1);
  if (keys.kind != Value::Kind::kMap) {
    diagnostics.error(patch.node.place, what + " must be a map", "null removes the stage");
    return;
  }
  // Only the keys: the values are checked in the stage that the patch makes.
  for (auto& entry : keys.entries) {
    Place key_place = entry.second.key_place;
    entry.second = unreadable(entry.second.place);
    entry.second.key_place = key_place;
  }
  ConformContext context{diagnostics, {}, false, {}};
  conform_map(keys, patch_keys(), what, context);
}

const EnvironmentSource* find_environment(const Sources& sources, const std::string& name,
                                          Place place, const std::string& who,
                                          Diagnostics& diagnostics) {
  auto found = std::ranges::find(sources.environments, name, &EnvironmentSource::name);
  if (found != sources.environments.end()) return &*found;
  std::vector<std::string> names;
  for (const auto& environment : sources.environments) names.push_back(environment.name);
  diagnostics.error(place, who + " names the unknown environment '" + name + "'",
                    names.empty() ? "the plan has no environments" : suggest(name, names));
  return nullptr;
}

}  // namespace

std::optional<const EnvironmentSource*> choose_environment(const Sources& sources,
                                                           const Request& request,
                                                           Diagnostics& diagnostics) {
  auto find = [&](const std::string& name, Place place, const std::string& who) {
    const EnvironmentSource* found = find_environment(sources, name, place, who, diagnostics);
    return found == nullptr ? std::nullopt : std::optional(found);
  };
  std::optional<const EnvironmentSource*> by_default;
  if (!sources.default_environment.empty()) {
    by_default = find(sources.default_environment, sources.default_environment_place,
                      "'defaultEnvironment'");
  }
  if (!request.environment.empty())
    return find(request.environment, {intern_file("--env " + request.environment), 0, 0}, "--env");
  if (!sources.default_environment.empty()) return by_default;
  if (sources.environments.empty()) return nullptr;
  if (sources.environments.size() == 1) return &sources.environments.front();
  diagnostics.error(sources.spec_place, "the plan has several environments and none is chosen",
                    "choose with --env, or add defaultEnvironment to the spec");
  return std::nullopt;
}

void merge_patch(yaml::Node& base, const yaml::Node& patch) {
  if (!patch.is_map()) {
    base = patch;
    return;
  }
  if (!base.is_map()) {
    base = yaml::Node{};
    base.kind = yaml::Node::Kind::kMapping;
    base.place = patch.place;
  }
  for (const Entry& entry : patch.entries) set_entry(base, entry);
}

std::map<std::string, Place> apply_environment(const EnvironmentSource& environment,
                                               std::vector<NamedNode>& stages) {
  std::map<std::string, Place> removed;
  std::unordered_map<std::string_view, NamedNode*> by_name;
  for (NamedNode& stage : stages) by_name.emplace(stage.name, &stage);
  for (const NamedNode& patch : environment.stages) {
    auto found = by_name.find(patch.name);
    if (found == by_name.end()) continue;  // reported by check_environments
    if (is_null(patch.node)) {
      removed.emplace(patch.name, patch.place);
    } else if (patch.node.is_map()) {
      patch_stage(found->second->node, patch.node);
    }
  }
  std::erase_if(stages, [&](const NamedNode& stage) { return removed.contains(stage.name); });
  return removed;
}

void check_environments(const Sources& sources, Diagnostics& diagnostics) {
  if (sources.environments.empty()) return;
  Suggester suggester;
  std::vector<std::string> names;
  for (const NamedNode& stage : sources.stages) names.push_back(stage.name);
  std::unordered_set<std::string_view> known(names.begin(), names.end());
  for (const EnvironmentSource& environment : sources.environments) {
    for (const NamedNode& patch : environment.stages) {
      if (!known.contains(patch.name)) {
        diagnostics.error(
            patch.place,
            "environment '" + environment.name + "' patches the unknown stage '" + patch.name + "'",
            suggester.among(patch.name, [&] { return names; }));
      } else {
        check_patch(patch, environment.name, diagnostics);
      }
    }
  }
}

}  // namespace blackstart::plan
