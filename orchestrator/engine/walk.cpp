#include "orchestrator/engine/walk.h"

namespace blackstart::engine {
namespace {

struct Walk {
  const Graph& graph;
  Order order;
  std::function<Task<void>(size_t)> visit;
  TaskGroup group;
  std::vector<size_t> open;  // neighbours before it that have not returned

  const std::vector<size_t>& before(size_t stage) const {
    return order == Order::kNeedsFirst ? graph.needs(stage) : graph.dependents(stage);
  }
  const std::vector<size_t>& after(size_t stage) const {
    return order == Order::kNeedsFirst ? graph.dependents(stage) : graph.needs(stage);
  }
};

Task<void> step(Walk& walk, size_t stage) {
  co_await walk.visit(stage);
  for (size_t next : walk.after(stage)) {
    if (--walk.open[next] == 0) walk.group.spawn(step(walk, next));
  }
}

}  // namespace

Task<void> walk(Executor executor, const Graph& graph, Order order, std::function<Task<void>(size_t)> visit) {
  Walk walk{graph, order, std::move(visit), TaskGroup(executor), {}};
  for (size_t stage = 0; stage < graph.size(); ++stage) walk.open.push_back(walk.before(stage).size());
  for (size_t stage : graph.order()) {
    if (walk.before(stage).empty()) walk.group.spawn(step(walk, stage));
  }
  co_await walk.group.join();
}

}  // namespace blackstart::engine
