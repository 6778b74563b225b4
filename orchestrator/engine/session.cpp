#include "orchestrator/engine/session.h"

namespace blackstart::engine {
namespace {
// Looks are cheap reads; more at a time only queue up at the API server.
constexpr size_t kLooksAtATime = 32;
// External tools are heavy: more than a few at a time only slow each other down.
constexpr size_t kProcessesAtATime = 4;
}  // namespace

Session::Session(World& w, events::Bus& b, journal::Journal& j, const plan::Plan& p,
                 const Catalog& c, const Graph& g, Tools& t, std::string run, std::string folder,
                 RunOptions o)
    : world(w),
      bus(b),
      journal(j),
      plan(p),
      catalog(c),
      graph(g),
      tools(t),
      run_id(std::move(run)),
      state_folder(std::move(folder)),
      options(std::move(o)),
      stop(w.executor),
      results(p.stages.size()),
      light_(w.executor, options.parallelism),
      process_(w.executor, std::min(kProcessesAtATime, options.parallelism)),
      api_(w.executor, options.parallelism),
      looks_(w.executor, kLooksAtATime) {}

Limit& Session::limit_for(Work work) {
  switch (work) {
    case Work::kProcess: return process_;
    case Work::kApi: return api_;
    case Work::kLight: break;
  }
  return light_;
}

void Session::forget_results() {
  results.assign(plan.stages.size(), StageResult());
  outputs.clear();
}

void Session::request_stop(int signal, int count) {
  stop.signal = signal;
  stop.soft.set();
  if (count < 2) return;
  world.processes.kill_all();
  stop.hard.set();
}

}  // namespace blackstart::engine
