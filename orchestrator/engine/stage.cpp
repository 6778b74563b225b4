#include "orchestrator/engine/stage.h"

#include "orchestrator/world/async.h"

namespace blackstart::engine {

const char* to_string(Observation::State state) {
  switch (state) {
    case Observation::State::kPresent: return "present";
    case Observation::State::kAbsent: return "absent";
    case Observation::State::kDiffers: return "differs";
    case Observation::State::kDeferred: return "deferred";
  }
  return "unknown";
}

namespace {
Observation seen(Observation::State state, std::string reason) {
  Observation observation;
  observation.state = state;
  observation.reason = std::move(reason);
  return observation;
}

Decision decided(Decision::Kind kind, std::string reason) {
  Decision decision;
  decision.kind = kind;
  decision.reason = std::move(reason);
  return decision;
}
}  // namespace

Observation Observation::present(std::string reason) {
  return seen(State::kPresent, std::move(reason));
}
Observation Observation::absent(std::string reason) {
  return seen(State::kAbsent, std::move(reason));
}
Observation Observation::differs(std::string reason) {
  return seen(State::kDiffers, std::move(reason));
}

Observation Observation::deferred(std::string stage) {
  Observation observation = seen(State::kDeferred, "known after stage " + stage);
  observation.deferred_on = std::move(stage);
  return observation;
}

Decision Decision::satisfied(std::string reason) {
  return decided(Kind::kSatisfied, std::move(reason));
}
Decision Decision::wait(std::string reason) { return decided(Kind::kWait, std::move(reason)); }

Decision Decision::act(std::vector<Action> actions, std::string reason) {
  Decision decision = decided(Kind::kAct, std::move(reason));
  decision.actions = std::move(actions);
  return decision;
}

Decision Decision::act(Action action, std::string reason) {
  return act(std::vector<Action>{std::move(action)}, std::move(reason));
}

Decision Decision::blocked(std::string reason, std::string hint) {
  Decision decision = decided(Kind::kBlocked, std::move(reason));
  decision.hint = std::move(hint);
  return decision;
}

Task<void> Stage::changed(Context& context) {
  // Without anything to watch: look again soon. The lifecycle bounds the number of looks by the
  // deadline.
  co_await context.world().clock.sleep_until(context.world().clock.now() + std::chrono::seconds(1));
}

Decision Stage::decide_removal(const Observation&) const {
  return Decision::satisfied("left in place: this stage type takes nothing away");
}

// An empty task and no coroutine: most stages have nothing to end.
Task<void> Stage::close(Context&) { return {}; }

const plan::StageSchema* Catalog::find_schema(std::string_view uses) const {
  const StageType* type = find(uses);
  return type == nullptr ? nullptr : &type->schema;
}

}  // namespace blackstart::engine
