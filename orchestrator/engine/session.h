// One run: what all its stages share.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/engine/graph.h"
#include "orchestrator/engine/limit.h"
#include "orchestrator/engine/result.h"
#include "orchestrator/engine/stage.h"
#include "orchestrator/world/async.h"

namespace blackstart::engine {

struct SavedPlan;

struct RunOptions {
  size_t parallelism = 10;                         // actions at a time, over all kinds of work
  Duration stop_grace = std::chrono::seconds(30);  // for running actions after the first Ctrl-C
  Duration observe_timeout = std::chrono::seconds(30);  // of one look, in plan and status
  /// Asks a person; must be set. False = no.
  std::function<Task<bool>(std::string question)> confirm;
  /// What `apply FILE` has promised to do; null = whatever is decided now.
  const SavedPlan* saved = nullptr;
  /// Told what the run is doing, for the lock's holder file.
  std::function<void(const std::string&)> on_activity;
};

/// Asked to stop, in two steps: no new actions, then no actions at all.
struct Stop {
  explicit Stop(const Executor& executor) : soft(executor), hard(executor) {}
  Event soft;
  Event hard;
  int signal = 0;
};

/// Holds everything by reference that main() composed; lives for one command.
struct Session {
  Session(World& world, events::Bus& bus, journal::Journal& journal, const plan::Plan& plan,
          const Catalog& catalog, const Graph& graph, Tools& tools, std::string run_id,
          std::string state_folder, RunOptions options);

  World& world;
  events::Bus& bus;
  journal::Journal& journal;
  const plan::Plan& plan;
  const Catalog& catalog;
  const Graph& graph;
  Tools& tools;
  std::string run_id;
  std::string state_folder;
  RunOptions options;
  Shared shared;
  plan::Outputs outputs;
  Stop stop;
  bool nothing_new = false;  // a stage with onFailure: stop has failed
  /// Stages in which an interrupted run of options.saved has begun to act already.
  std::set<std::string> begun;
  std::vector<StageResult> results;

  Limit& limit_for(Work work);
  Limit& looks() { return looks_; }

  /// After a preview that was only to be looked at.
  void forget_results();
  /// The first Ctrl-C, then the second.
  void request_stop(int signal, int count);

 private:
  Limit light_;
  Limit process_;
  Limit api_;
  Limit looks_;
};

}  // namespace blackstart::engine
