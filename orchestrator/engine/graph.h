// The plan's stages as a graph: who waits for whom, and which of them a command is about.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/plan/plan.h"

namespace blackstart::engine {

/// Indices are those of Plan::stages. The plan is acyclic: plan::load refuses cycles.
class Graph {
 public:
  explicit Graph(const plan::Plan& plan);

  size_t size() const { return needs_.size(); }
  const std::vector<size_t>& needs(size_t stage) const { return needs_[stage]; }
  const std::vector<size_t>& dependents(size_t stage) const { return dependents_[stage]; }
  /// Every stage after all that it needs; in file order where that leaves a choice.
  const std::vector<size_t>& order() const { return order_; }
  /// `start` and everything that (transitively) it needs or that needs it.
  std::vector<bool> with_needs(std::vector<size_t> start) const;
  std::vector<bool> with_dependents(std::vector<size_t> start) const;

 private:
  std::vector<std::vector<size_t>> needs_;
  std::vector<std::vector<size_t>> dependents_;
  std::vector<size_t> order_;
};

/// What the user asked for. Empty = everything.
struct Selection {
  std::vector<std::string> only;    // these stages
  std::vector<std::string> stacks;  // all stages of these stacks
  std::vector<std::string> tags;    // all stages with one of these tags
  std::string from;                 // this stage and all that need it
  std::string until;                // this stage and all that it needs

  bool everything() const {
    return only.empty() && stacks.empty() && tags.empty() && from.empty() && until.empty();
  }
};

/// What a run does with a stage.
enum class Role {
  kRun,      // selected
  kCheck,    // not selected, but a selected one needs it: must hold already
  kLeftOut,  // not selected
};

/// Throws Error(kUsage) for names that do not exist (with a suggestion) and for selections that no
/// stage fits.
std::vector<Role> select(const plan::Plan& plan, const Graph& graph, const Selection& selection);

}  // namespace blackstart::engine
