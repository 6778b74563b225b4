// What a stage may reach: its options, its folder, the world, the run's shared things.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "orchestrator/engine/tools.h"
#include "orchestrator/events/bus.h"
#include "orchestrator/journal/journal.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/world/world.h"

namespace blackstart::engine {

/// Things that several stages of one run share, made on first use: API clients, caches. Keyed by
/// type and name; destroyed with the run, newest first.
class Shared {
 public:
  template <class T>
  std::shared_ptr<T> get_or_make(const std::string& name,
                                 const std::function<std::shared_ptr<T>()>& make) {
    auto key = std::pair(std::type_index(typeid(T)), name);
    if (auto found = items_.find(key); found != items_.end())
      return std::static_pointer_cast<T>(found->second);
    std::shared_ptr<T> made = make();
    items_[key] = made;
    order_.push_back(made);
    return made;
  }
  void forget(const std::string& name);  // all types of that name: what it stood for has changed
  /// The API server of the plan's cluster has answered in this run. Set by the stage that saw it.
  bool target_reached = false;
  ~Shared();

 private:
  std::map<std::pair<std::type_index, std::string>, std::shared_ptr<void>> items_;
  std::vector<std::shared_ptr<void>> order_;
};

/// Where stages and tools keep their files below the state folder; with the last stage they go.
std::string stages_folder(const std::string& state_folder);
std::string tools_folder(const std::string& state_folder);

/// Who the plan's cluster is, as a line of text; nullopt before it was made or first seen. Kept in
/// a file beside the journal, so that the guard against another cluster outlives a lost journal.
/// Throws Error(kPermanent) when it cannot be read.
std::optional<std::string> known_cluster(const Files& files, const std::string& state_folder);
void forget_known_cluster(Files& files, const std::string& state_folder);

/// One per stage and run; lives as long as the stage. Loop-confined.
class Context {
 public:
  Context(World& world, events::Bus& bus, journal::Journal& journal, Shared& shared, Tools& tools,
          const plan::Plan& plan, const plan::Stage& stage, std::string state_folder);

  World& world() { return world_; }
  Tools& tools() { return tools_; }
  Shared& shared() { return shared_; }
  const plan::Plan& plan() const { return plan_; }
  const plan::Stage& stage() const { return stage_; }
  events::Bus& bus() { return bus_; }

  /// The stage's `with`, resolved: defaults filled in, paths absolute. An accessor of a value that
  /// is not known yet throws plan::NotKnownYet, which the engine turns into a deferred observation.
  const plan::Value& options() const { return options_; }
  const plan::Value& option(std::string_view name) const;
  bool has(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::string text_or(std::string_view name, std::string fallback) const;
  int64_t number(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::vector<std::string> texts(
      std::string_view name) const;  // a list of strings; empty when absent
  /// The plan's `cluster:` resolved, {kubeconfig, context}; null Value when the plan has none.
  const plan::Value& cluster() const { return cluster_; }

  /// A folder of this stage's own under the state folder, 0700, made on first use.
  std::string folder();
  /// A home for a tool that stages share, with its caches.
  std::string tool_home(const std::string& tool) const;
  const std::string& state_folder() const { return state_folder_; }

  /// What the journal remembers of this stage: the digest it was last done with is record->digest.
  std::optional<journal::StageRecord> record() const;
  const std::string& digest() const { return digest_; }
  /// Actions that an earlier run began and never finished.
  std::vector<journal::OpenIntent> interrupted() const;
  /// Who the plan's cluster was in earlier runs. Durable when it returns.
  std::optional<std::string> known_cluster() const;
  Task<void> remember_cluster(std::string identity);
  Task<void> forget_cluster();
  /// True while nothing may be written at all (plan, status): then a cluster is neither remembered
  /// nor forgotten.
  bool read_only = false;

  /// A line that a tool printed.
  void output(Stream stream, std::string_view line);
  /// For Command::on_line.
  std::function<void(Stream, std::string_view)> output_lines();
  /// What an action or a wait is doing now; shown by heartbeats.
  void progress(std::string what);
  void warn(std::string message, std::string hint = {});
  /// Must be called for every secret value that was read, before it is used anywhere.
  void redact(std::string_view secret);

  /// The same for another stage of the plan, with its options as they are known now. Its accessors
  /// throw as this one's do; nothing may be written through it.
  std::unique_ptr<Context> beside(const plan::Stage& other) const;

  // Set by the engine before each use. `known`: the outputs of all stages so far.
  void set_inputs(plan::Value options, plan::Value cluster, std::string digest,
                  const plan::Outputs& known);
  const std::string& current_progress() const { return progress_; }
  std::function<void()> on_progress;
  Instant deadline;
  /// How long the target may take to answer for the first time; a stage that knows better sets it.
  Duration patience{};
  /// The target's address while this stage has no answer from it; set by the stage, else empty.
  std::string reaching;

 private:
  World& world_;
  events::Bus& bus_;
  journal::Journal& journal_;
  Shared& shared_;
  Tools& tools_;
  const plan::Plan& plan_;
  const plan::Stage& stage_;
  std::string state_folder_;
  plan::Value options_;
  plan::Value cluster_;
  std::string digest_;
  const plan::Outputs* known_ = nullptr;
  std::string progress_;
};

}  // namespace blackstart::engine
