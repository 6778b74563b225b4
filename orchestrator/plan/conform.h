// Checks values against options tables: the plan's own keys and every stage's `with` go through
// here.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "orchestrator/plan/schema.h"
#include "orchestrator/plan/value.h"

namespace blackstart::plan {

struct ConformContext {
  Diagnostics& diagnostics;
  /// Folder for paths whose text comes from no file (--var, environment variables).
  std::string folder;
  /// Puts in the defaults of what is not given.
  bool defaults = false;
  /// Called for every path: the value (absolute by now), what was written, its option. May be
  /// empty.
  std::function<void(const Value& path, const std::string& written, const OptionSpec&)> on_path;
};

/// Checks a map against `specs`: unknown and missing keys, types, choices; makes paths absolute,
/// drops keys without value and taints what is secret. `what` names the map in messages. Parts that
/// are not known yet pass.
void conform_map(Value& map, std::span<const OptionSpec> specs, const std::string& what,
                 const ConformContext& context);

/// The option that the key `name` stands for, its own or the one for any key; nullptr = none.
const OptionSpec* find_option(std::span<const OptionSpec> specs, std::string_view name);

/// Reports groups of which not exactly one option is given.
void check_one_of(const Value& map, std::span<const std::vector<std::string>> groups,
                  const std::string& what, Diagnostics& diagnostics);

/// The mistakes in a stage type's own table (a default that does not fit its type, …): for the
/// catalog's test. Empty when it is sound.
std::vector<std::string> check_schema(const StageSchema& schema);

}  // namespace blackstart::plan
