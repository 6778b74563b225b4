#include "orchestrator/engine/stage_run.h"

#include "orchestrator/engine/retry.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

// A stage watches its own things; why they are not ready may change further down (a pod, an event).
constexpr Duration kLookAgainAfter = std::chrono::seconds(5);
// A look may read much; who is woken by every event of a busy cluster does not look at each.
constexpr Duration kBetweenLooks = std::chrono::milliseconds(200);
// For a target that has never answered, when neither the plan's `timeout` nor the stage says how
// long.
constexpr Duration kFirstContact = std::chrono::minutes(1);
// Between tries, while something is coming up that says nothing when it is there.
constexpr Duration kComingUpPause = std::chrono::seconds(10);

Error error_of(const Decision& blocked) {
  Error error(ErrorClass::kPermanent, blocked.reason);
  for (const std::string& cause : blocked.causes) error.because(cause);
  return error.hint(blocked.hint);
}

/// Who is not answered, or not let in, has not looked.
bool nothing_was_seen(ErrorClass failure) {
  return retry_kind(failure) != RetryKind::kNever || failure == ErrorClass::kDeadline ||
         failure == ErrorClass::kAuthentication;
}

}  // namespace

StageRun::OffTheClock::OffTheClock(StageRun& run, std::string waits_for)
    : run_(run),
      begun_(run.session_.world.clock.now()),
      over_(std::make_shared<Event>(run.session_.world.executor)) {
  run_.paused_ = over_;
  run_.waited_for_ = run_.result().reason = std::move(waits_for);
}

StageRun::OffTheClock::~OffTheClock() {
  run_.context_.deadline += run_.session_.world.clock.now() - begun_;
  run_.result().deadline = run_.context_.deadline;
  run_.paused_ = nullptr;
  over_->set();
}

Error StageRun::stopped() { return Error(ErrorClass::kCancelled, "the run was asked to stop"); }

StageRun::StageRun(Session& session, size_t index, Direction direction)
    : session_(session),
      index_(index),
      direction_(direction),
      stage_(session.plan.stages[index]),
      type_(*session.catalog.find(stage_.uses)),
      implementation_(type_.make()),
      context_(session.world, session.bus, session.journal, session.shared, session.tools,
               session.plan, stage_, session.state_folder),
      started_(session.world.clock.now()) {
  result().started = started_;
  result().deadline = context_.deadline = started_ + stage_.timeout;
  context_.patience = stage_.timeout_given ? stage_.timeout : kFirstContact;
  context_.on_progress = [this] {
    // What an action is doing belongs into heartbeats and into the text of a missed deadline.
    if (context_.current_progress().empty()) return;
    waited_for_ = context_.current_progress();
    result().reason = waited_for_;
    if (session_.options.on_activity)
      session_.options.on_activity("stage " + stage_.name + ": " + waited_for_);
  };
}

Task<void> StageRun::preview() {
  context_.read_only = true;
  std::exception_ptr failure;
  try {
    Limit::Slot slot = co_await session_.looks().take();
    Instant deadline = session_.world.clock.now() + session_.options.observe_timeout;
    result().seen = co_await within(session_.world.clock, deadline, "no answer in time", look());
    result().decision = decide(result().seen);
    publish_outputs();
  } catch (...) {
    failure = std::current_exception();
  }
  co_await shielded(implementation_->close(context_));
  if (failure) {
    record_failure(failure);
    if (result().state == StageState::kStopped) std::rethrow_exception(failure);
    if (nothing_was_seen(result().failure->error_class())) result().state = StageState::kUnknown;
    co_return;
  }
  bool satisfied = result().decision.kind == Decision::Kind::kSatisfied;
  bool deferred =
      result().seen.state == Observation::State::kDeferred && direction_ == Direction::kForward;
  result().state = deferred    ? StageState::kDeferred
                   : satisfied ? StageState::kSatisfied
                               : StageState::kPending;
  result().reason =
      result().decision.reason.empty() ? result().seen.reason : result().decision.reason;
  if (result().decision.kind != Decision::Kind::kBlocked) co_return;
  result().state = StageState::kFailed;
  result().failure = error_of(result().decision).at(stage_.place);
}

Task<void> StageRun::run() {
  std::exception_ptr failure;
  try {
    co_await within(until_deadline(), "", reconcile());
  } catch (...) {
    failure = std::current_exception();
  }
  co_await shielded(implementation_->close(context_));
  result().elapsed = std::chrono::duration_cast<Duration>(session_.world.clock.now() - started_);
  if (failure) record_failure(failure);
}

Task<void> StageRun::until_deadline() {
  Clock& clock = session_.world.clock;
  while (paused_ || clock.now() < context_.deadline) {
    auto paused = paused_;
    if (paused) {
      co_await paused->wait();
    } else {
      co_await clock.sleep_until(context_.deadline);
    }
  }
}

Task<Limit::Slot> StageRun::turn(Limit& limit) {
  std::optional<OffTheClock> pause;
  if (limit.full()) pause.emplace(*this, "its turn");
  Limit::Slot slot = co_await limit.take();
  co_return slot;
}

Task<void> StageRun::reconcile() {
  for (;;) {
    std::optional<Error> trouble;
    Failures* failures = &of_looks_;
    try {
      enter(result().acted ? StageState::kVerifying : StageState::kObserving, waited_for_);
      Observation seen = co_await look_unless_stopped();
      of_looks_ = {};
      result().deadline = context_.deadline;
      Decision decision = decide(seen);
      result().seen = seen;
      result().decision = decision;
      switch (decision.kind) {
        case Decision::Kind::kSatisfied: co_return co_await finish();
        case Decision::Kind::kAct:
          failures = &of_actions_;
          co_await perform_all(decision);
          break;
        case Decision::Kind::kWait: co_await wait_for_change(decision); break;
        case Decision::Kind::kBlocked: throw error_of(decision);
      }
    } catch (const Error& error) {
      if (retry_kind(error.error_class()) == RetryKind::kNever) throw;
      trouble = error;
    }
    if (trouble) co_await pause_before_retry(*trouble, *failures);
  }
}

Task<void> StageRun::wait_for_change(Decision decision) {
  if (session_.stop.soft.is_set()) throw stopped();
  if (result().state != StageState::kVerifying) enter(StageState::kVerifying, decision.reason);
  last_class_ = ErrorClass::kDeadline;
  last_causes_ = decision.causes;
  last_hint_ = decision.hint;
  say_waiting(decision);
  Instant look_again = session_.world.clock.now() + kLookAgainAfter;
  try {
    auto change = within(session_.world.clock, look_again, "", implementation_->changed(context_));
    if (!co_await run_unless(session_.stop.soft, std::move(change))) throw stopped();
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::kDeadline) throw;
  }
  Duration ago = std::chrono::duration_cast<Duration>(session_.world.clock.now() - looked_at_);
  if (ago < kBetweenLooks) co_await pause(kBetweenLooks - ago);
}

Task<void> StageRun::pause_before_retry(const Error& error, Failures& failures) {
  bool counted = retry_kind(error.error_class()) == RetryKind::kCounted;
  int attempt = counted ? ++failures.counted : ++failures.outages;
  if (counted && attempt >= stage_.retry.attempts) throw error;
  if (session_.stop.soft.is_set()) throw stopped();
  Duration delay = retry_delay(stage_.retry, error, attempt, session_.world.random);
  if (error.error_class() == ErrorClass::kNotReady) delay = std::min(delay, kComingUpPause);
  if (error.error_class() == ErrorClass::kUnreachable && never_reached()) {
    if (!may_come_up())
      result().deadline = std::min(context_.deadline, started_ + context_.patience);
    delay = std::min(delay, kComingUpPause);
    if (session_.world.clock.now() + delay >= result().deadline)
      throw never_answered(error, attempt);
  }
  last_class_ = error.error_class();
  last_causes_ = error.causes();
  last_hint_ = error.error_class() == ErrorClass::kNotReady ? error.hint() : "";
  waited_for_ = error.summary();
  session_.bus.publish(events::Retrying{stage_.name, to_string(error.error_class()),
                                        events::clean_text(session_.bus.redactor(), error), attempt,
                                        delay.count()});
  co_await pause(delay);
}

bool StageRun::never_reached() const { return !session_.shared.target_reached; }

/// This run has made something that the target may be waiting for. If not, who waits longer waits
/// for somebody else.
bool StageRun::may_come_up() const {
  return direction_ == Direction::kForward &&
         std::ranges::any_of(session_.results, &StageResult::acted);
}

Error StageRun::never_answered(Error error, int attempt) const {
  auto elapsed = std::chrono::duration_cast<Duration>(session_.world.clock.now() - started_);
  error.because("tried again for " + format_duration(elapsed) + ", " +
                count_of(static_cast<size_t>(attempt), "time") +
                ": nothing has answered in this run");
  return error;
}

Task<void> StageRun::pause(Duration delay) {
  Instant until = session_.world.clock.now() + delay;
  bool ended = co_await run_unless(session_.stop.soft, session_.world.clock.sleep_until(until));
  if (!ended) throw stopped();
}

void StageRun::enter(StageState state, std::string reason) {
  if (result().state == state && result().reason == reason) return;
  result().state = state;
  result().reason = reason;
  auto elapsed = std::chrono::duration_cast<Duration>(session_.world.clock.now() - started_);
  session_.bus.publish(events::StageChanged{stage_.name, stage_.uses, to_string(state),
                                            std::move(reason), elapsed.count()});
  if (session_.options.on_activity && state == StageState::kActing) {
    session_.options.on_activity("stage " + stage_.name + ": " + result().reason);
  }
}

void StageRun::say_waiting(const Decision& decision) {
  const std::string& reason = decision.reason;
  result().reason = reason;
  if (reason.empty() || reason == waited_for_) return;
  waited_for_ = reason;
  session_.bus.publish(events::Waiting{stage_.name, reason, decision.waits_for});
  if (session_.options.on_activity)
    session_.options.on_activity("stage " + stage_.name + ": " + reason);
}

}  // namespace blackstart::engine
