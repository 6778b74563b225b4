// A plan that was shown, kept so that apply does exactly that or refuses.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/engine/result.h"

namespace blackstart::engine {

struct SavedStage {
  std::string name;
  std::string digest;     // of its inputs; empty = they were not known
  bool deferred = false;  // what it would do was not known
  std::vector<Action> actions;
};

struct SavedPlan {
  std::string digest;  // of the whole text; not a part of it
  std::string plan_file;
  std::string plan_digest;
  std::string environment;
  std::string target;  // the cluster's identity then; empty = there was none
  std::vector<std::pair<std::string, std::string>>
      vars;  // --var of variables that are not sensitive
  Selection selection;
  std::vector<SavedStage> stages;

  const SavedStage* find(const std::string& stage) const;
};

/// JSON text with a schema version; parse throws Error(kUsage) for anything else.
std::string to_text(const SavedPlan& plan);
SavedPlan parse_saved_plan(const std::string& text, const std::string& file);

/// "create cluster homelab; scale to 2 nodes", "nothing".
std::string describe(const std::vector<Action>& actions);

}  // namespace blackstart::engine
