// A plan's files read and put together, nothing resolved yet: every element keeps its own place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/base/yaml.h"
#include "orchestrator/world/files.h"

namespace blackstart::plan {

/// `name: value`, with the place of the name. The name is as written: a variable may be called `n`,
/// though YAML 1.1 takes that for false.
struct NamedNode {
  std::string name;
  Place place;
  yaml::Node node;
};

struct EnvironmentSource {
  std::string name;
  Place place;
  std::optional<yaml::Node> confirm;
  std::vector<NamedNode> vars;
  std::vector<NamedNode> stages;  // patches
};

struct Sources {
  bool complete = true;  // false: a file could not be read, so names may be missing
  std::string name;
  Place spec_place;
  std::string default_environment;
  Place default_environment_place;
  std::vector<NamedNode> vars;
  std::vector<EnvironmentSource> environments;
  std::optional<yaml::Node> cluster;
  std::vector<NamedNode> tools;
  std::vector<NamedNode>
      stages;  // the place is that of the stage, which is a map with a valid, unique name
  std::vector<std::pair<std::string, std::string>>
      contents;  // of every file: path as included, SHA-256
};

inline constexpr size_t kStagesMax = 20'000;

/// Reads the plan at `file` (absolute) and all it includes. Says all that is wrong with their outer
/// structure; what could be read is returned.
Sources compose(const Files& files, const std::string& file, Diagnostics& diagnostics);

}  // namespace blackstart::plan
