#include "orchestrator/engine/walk.h"

#include <deque>

namespace blackstart::engine {
namespace {

struct Walk {
  const Graph& graph;
  Order order;
  std::function<Task<void>(size_t)> visit;
  TaskGroup group;
  std::vector<size_t> open;  // neighbours before it that have not returned
  std::deque<size_t> ready;  // not begun, and nothing before them is open
  bool standing_by = false;  // a worker will begin at the next turn of the loop

  const std::vector<size_t>& before(size_t stage) const {
    return order == Order::kNeedsFirst ? graph.needs(stage) : graph.dependents(stage);
  }
  const std::vector<size_t>& after(size_t stage) const {
    return order == Order::kNeedsFirst ? graph.dependents(stage) : graph.needs(stage);
  }
};

void stand_by(Walk& walk);

/// Visits what is ready, one stage after the other. When a visit waits, the worker that stands by
/// takes the next: so there are as many as wait, and not as many as there are stages.
Task<void> work(Walk& walk) {
  walk.standing_by = false;
  while (!walk.ready.empty()) {
    size_t stage = walk.ready.front();
    walk.ready.pop_front();
    stand_by(walk);
    co_await walk.visit(stage);
    for (size_t next : walk.after(stage)) {
      if (--walk.open[next] == 0) walk.ready.push_back(next);
    }
    co_await next_turn();  // a visit may do without a wait, and a signal wants to be heard
  }
}

void stand_by(Walk& walk) {
  if (walk.standing_by || walk.ready.empty()) return;
  walk.standing_by = true;
  walk.group.spawn(work(walk));
}

}  // namespace

Task<void> walk(Executor executor, const Graph& graph, Order order,
                std::function<Task<void>(size_t)> visit) {
  Walk walk{graph, order, std::move(visit), TaskGroup(executor), {}, {}};
  for (size_t stage = 0; stage < graph.size(); ++stage)
    walk.open.push_back(walk.before(stage).size());
  for (size_t stage : graph.order()) {
    if (walk.before(stage).empty()) walk.ready.push_back(stage);
  }
  stand_by(walk);
  co_await walk.group.join();
}

}  // namespace blackstart::engine
