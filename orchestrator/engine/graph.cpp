#include "orchestrator/engine/graph.h"

#include <algorithm>
#include <queue>

#include "orchestrator/base/text.h"

namespace blackstart::engine {

Graph::Graph(const plan::Plan& plan) : needs_(plan.stages.size()), dependents_(plan.stages.size()) {
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    for (const plan::Need& need : plan.stages[i].needs) {
      size_t other = plan.positions.at(need.stage);
      if (std::ranges::find(needs_[i], other) != needs_[i].end()) continue;
      needs_[i].push_back(other);
      dependents_[other].push_back(i);
    }
  }
  std::vector<size_t> open(size());
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < size(); ++i) {
    open[i] = needs_[i].size();
    if (open[i] == 0) ready.push(i);
  }
  while (!ready.empty()) {
    size_t stage = ready.top();
    ready.pop();
    order_.push_back(stage);
    for (size_t dependent : dependents_[stage]) {
      if (--open[dependent] == 0) ready.push(dependent);
    }
  }
  if (order_.size() != size()) throw Error(ErrorClass::kBug, "the plan's graph has a cycle");
}

namespace {
std::vector<bool> reach(std::vector<size_t> open, const std::vector<std::vector<size_t>>& edges) {
  std::vector<bool> seen(edges.size());
  for (size_t stage : open) seen[stage] = true;
  while (!open.empty()) {
    size_t stage = open.back();
    open.pop_back();
    for (size_t next : edges[stage]) {
      if (seen[next]) continue;
      seen[next] = true;
      open.push_back(next);
    }
  }
  return seen;
}

size_t index_of(const plan::Plan& plan, const std::string& name) {
  auto found = plan.positions.find(name);
  if (found != plan.positions.end()) return found->second;
  std::vector<std::string> names;
  for (const plan::Stage& stage : plan.stages) names.push_back(stage.name);
  throw Error(ErrorClass::kUsage, "the plan has no stage '" + name + "'")
      .hint(suggestion(name, names));
}

template <class Fits>
std::vector<size_t> stages_that(const plan::Plan& plan, Fits fits) {
  std::vector<size_t> found;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    if (fits(plan.stages[i])) found.push_back(i);
  }
  return found;
}

std::vector<size_t> stages_of_stack(const plan::Plan& plan, const std::string& stack) {
  auto found = stages_that(plan, [&](const plan::Stage& stage) { return stage.stack == stack; });
  if (!found.empty()) return found;
  std::vector<std::string> stacks;
  for (const plan::Stage& stage : plan.stages) {
    if (!stage.stack.empty() && std::ranges::find(stacks, stage.stack) == stacks.end())
      stacks.push_back(stage.stack);
  }
  throw Error(ErrorClass::kUsage, "no stage of the plan belongs to stack '" + stack + "'")
      .hint(suggestion(stack, stacks));
}

std::vector<size_t> stages_with_tag(const plan::Plan& plan, const std::string& tag) {
  auto found = stages_that(plan, [&](const plan::Stage& stage) {
    return std::ranges::find(stage.tags, tag) != stage.tags.end();
  });
  if (found.empty())
    throw Error(ErrorClass::kUsage, "no stage of the plan has the tag '" + tag + "'");
  return found;
}
}  // namespace

std::vector<bool> Graph::with_needs(std::vector<size_t> start) const {
  return reach(std::move(start), needs_);
}

std::vector<bool> Graph::with_dependents(std::vector<size_t> start) const {
  return reach(std::move(start), dependents_);
}

std::vector<Role> select(const plan::Plan& plan, const Graph& graph, const Selection& selection) {
  if (selection.everything()) return std::vector<Role>(plan.stages.size(), Role::kRun);
  std::vector<size_t> named;
  auto add = [&named](const std::vector<size_t>& found) {
    named.insert(named.end(), found.begin(), found.end());
  };
  for (const std::string& name : selection.only) named.push_back(index_of(plan, name));
  for (const std::string& stack : selection.stacks) add(stages_of_stack(plan, stack));
  for (const std::string& tag : selection.tags) add(stages_with_tag(plan, tag));

  bool narrowed = !named.empty();
  std::vector<bool> chosen(plan.stages.size(), !narrowed);
  for (size_t stage : named) chosen[stage] = true;
  auto keep_only = [&chosen](const std::vector<bool>& kept) {
    for (size_t i = 0; i < chosen.size(); ++i) chosen[i] = chosen[i] && kept[i];
  };
  if (!selection.from.empty()) keep_only(graph.with_dependents({index_of(plan, selection.from)}));
  if (!selection.until.empty()) keep_only(graph.with_needs({index_of(plan, selection.until)}));

  std::vector<size_t> selected;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) selected.push_back(i);
  }
  if (selected.empty())
    throw Error(ErrorClass::kUsage, "no stage fits this selection")
        .hint("loosen --only, --stack, --tag, --from or --until");
  std::vector<bool> needed = graph.with_needs(selected);
  std::vector<Role> roles(plan.stages.size(), Role::kLeftOut);
  for (size_t i = 0; i < roles.size(); ++i)
    roles[i] = chosen[i] ? Role::kRun : needed[i] ? Role::kCheck : Role::kLeftOut;
  return roles;
}

}  // namespace blackstart::engine
