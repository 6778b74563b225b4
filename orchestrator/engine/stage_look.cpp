// StageRun: one look at the world, and what is made of it.
#include "orchestrator/engine/stage_run.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

bool any_path_option(const std::vector<plan::OptionSpec>& options) {
  return std::ranges::any_of(options, [](const plan::OptionSpec& option) {
    return option.type == plan::OptionType::kPath || any_path_option(option.fields);
  });
}

}  // namespace

Error not_known(const plan::Stage& stage, const plan::NotKnownYet& unknown) {
  return Error(ErrorClass::kUsage,
               "output " + unknown.output + " of stage " + unknown.stage + " is not known")
      .at(stage.place)
      .hint("stage " + unknown.stage + " was skipped or does not publish it");
}

Task<void> StageRun::prepare_inputs() {
  plan::Value cluster =
      plan::resolve_cluster(session_.plan, session_.outputs).value_or(plan::Value());
  plan::Value options = plan::resolve_options(stage_, session_.plan, session_.outputs);
  std::string digest;
  auto hash = [&] { digest = plan::input_digest(options, type_.schema, session_.world.files); };
  if (any_path_option(type_.schema.options)) {
    co_await session_.world.blocking.run(hash);
  } else {
    hash();
  }
  result().digest = digest;
  context_.set_inputs(std::move(options), std::move(cluster), std::move(digest), session_.outputs);
}

Task<Observation> StageRun::look_unless_stopped() {
  // Who looks although it was asked to stop has just acted: only this look says what came of it.
  Event& end = session_.stop.soft.is_set() ? session_.stop.hard : session_.stop.soft;
  std::optional<Observation> seen = co_await run_unless(end, look_in_turn());
  if (!seen) throw stopped();
  co_return std::move(*seen);
}

Task<Observation> StageRun::look_in_turn() {
  Limit::Slot slot = co_await turn(session_.looks());
  Observation seen = co_await look();
  co_return seen;
}

Task<Observation> StageRun::look() {
  looked_at_ = session_.world.clock.now();
  known_after_.clear();
  co_await prepare_inputs();
  Observation seen;
  try {
    seen = co_await implementation_->observe(context_);
  } catch (const plan::NotKnownYet& unknown) {
    if (!context_.read_only && direction_ == Direction::kForward) throw not_known(stage_, unknown);
    known_after_ = unknown.stage;
    seen = Observation::deferred(unknown.stage);
  }
  refuse_if_deferred(seen);
  session_.bus.publish(events::Observed{stage_.name, to_string(seen.state), seen.reason});
  co_return seen;
}

/// In a run that acts, "later" is too late: what it waits for has had its turn.
void StageRun::refuse_if_deferred(const Observation& seen) const {
  if (seen.state != Observation::State::kDeferred || context_.read_only) return;
  // What lives outside of the cluster can be taken away without it.
  if (direction_ == Direction::kRemoval && !type_.schema.in_cluster) return;
  throw Error(ErrorClass::kUsage, "cannot be looked at without stage " + seen.deferred_on)
      .at(stage_.place)
      .hint("stage " + seen.deferred_on + " was skipped, or what it made does not run");
}

Decision StageRun::decide(const Observation& seen) const {
  if (direction_ == Direction::kRemoval) return implementation_->decide_removal(seen);
  if (!known_after_.empty())
    return Decision::act(
        Action{"later", "known in full after stage " + known_after_, {}, false, false});
  bool handed_over =
      stage_.owner == plan::Owner::kArgocd && seen.state == Observation::State::kDiffers;
  if (handed_over)
    return Decision::satisfied("owned by Argo CD, which was left to it: " + seen.reason);
  return implementation_->decide(seen);
}

}  // namespace blackstart::engine
