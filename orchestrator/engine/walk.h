// Visits a graph's stages, each as soon as all before it are finished.
#pragma once

#include <functional>

#include "orchestrator/engine/graph.h"
#include "orchestrator/world/async.h"

namespace blackstart::engine {

enum class Order { kNeedsFirst, kDependentsFirst };

/// Starts visit(stage) when every neighbour before it has returned; independent stages side by
/// side. An exception cancels the rest and is rethrown.
Task<void> walk(Executor executor, const Graph& graph, Order order,
                std::function<Task<void>(size_t)> visit);

}  // namespace blackstart::engine
