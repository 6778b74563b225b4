// StageRun: one action after another, each with its intent journaled before and its outcome after.
#include "orchestrator/engine/retry.h"
#include "orchestrator/engine/saved_plan.h"
#include "orchestrator/engine/stage_run.h"
#include "orchestrator/world/failpoint.h"
#include "orchestrator/world/interrupt.h"

namespace blackstart::engine {
namespace {

// The same action may be needed again when something else undid it; beyond this it is a fight.
constexpr int kSameActionMost = 3;

/// Details change with what was seen (a pid, a count); what is done is the same.
std::string key_of(const Action& action) { return action.id + "\n" + action.summary; }

/// Half of what was shown may be done, so that what is left is something else; but nothing is taken
/// away that was not shown.
bool takes_away_more(const Decision& decision, const SavedStage& saved) {
  return std::ranges::any_of(decision.actions, [&saved](const Action& action) {
    bool shown = std::ranges::find(saved.actions, action) != saved.actions.end();
    return action.destructive && !shown;
  });
}

}  // namespace

void StageRun::check_against_saved(const Decision& decision) const {
  if (session_.options.saved == nullptr || !first_decision_) return;
  const SavedStage* saved = session_.options.saved->find(stage_.name);
  if (saved == nullptr || saved->deferred || saved->actions == decision.actions) return;
  if (session_.begun.contains(stage_.name) && !takes_away_more(decision, *saved)) return;
  throw Error(ErrorClass::kConflict, "the world is not as the saved plan saw it")
      .because("the saved plan says: " + describe(saved->actions))
      .because("now it would be: " + describe(decision.actions))
      .hint("make a new plan with blackstart plan --out FILE and look at it");
}

Task<void> StageRun::perform_all(const Decision& decision) {
  check_against_saved(decision);
  first_decision_ = false;
  for (const Action& action : decision.actions) {
    // Nothing is taken away by what was seen before something else was done.
    if (action.destructive && &action != &decision.actions.front()) co_return;
    Tries& tries = tries_[key_of(action)];
    if (tries.done >= kSameActionMost) {
      throw Error(ErrorClass::kVerification, "done " + std::to_string(tries.done) +
                                                 " times, and still: " + result().seen.reason)
          .hint("something else changes it back, or the action has no effect; look at " +
                action.summary);
    }
    if (tries.done > 0)
      co_await pause(retry_delay(stage_.retry, Error(ErrorClass::kVerification, ""), tries.done,
                                 session_.world.random));
    co_await perform(action);
    ++tries.done;
    of_actions_ = {};
  }
}

Task<void> StageRun::ask(const Action& action) {
  bool first = !context_.record().has_value();
  bool wanted = stage_.confirm == plan::Confirm::kAlways;
  // destroy was confirmed as a whole, with all that it takes away.
  if (direction_ == Direction::kForward)
    wanted |= action.destructive || (stage_.confirm == plan::Confirm::kOnce && first);
  if (!wanted) co_return;
  std::string question = "stage " + stage_.name + ": " + action.summary;
  if (!stage_.confirm_message.empty()) question += "\n" + stage_.confirm_message;
  OffTheClock pause(*this, "your confirmation");
  bool yes = co_await session_.options.confirm(question);
  if (yes) co_return;
  throw Error(ErrorClass::kUsage, "not confirmed: " + action.summary)
      .hint("run again and say yes, or give --yes");
}

Task<void> StageRun::perform(const Action& action) {
  if (session_.stop.soft.is_set()) throw stopped();
  co_await ask(action);
  Limit::Slot slot = co_await turn(session_.limit_for(type_.work));
  if (session_.stop.soft.is_set()) throw stopped();  // asked to while it waited for its turn
  enter(StageState::kActing, action.summary);
  co_await session_.journal.settle(stage_.name,
                                   std::string("observed ") + to_string(result().seen.state));
  int64_t intent = co_await session_.journal.intent(session_.run_id, stage_.name, action.id,
                                                    result().digest, action.once);
  int attempt = ++tries_[key_of(action)].begun;
  session_.bus.publish(
      events::ActionStarted{stage_.name, action.id, action.summary, attempt, action.once});
  if (!co_await run_unless(session_.stop.hard, act_once_begun(action, intent))) throw stopped();
}

Task<void> StageRun::act_once_begun(const Action& action, int64_t intent) {
  Instant begun = session_.world.clock.now();
  std::exception_ptr failure;
  std::string outcome = "done";
  std::string detail;
  result().acted = true;
  BLACKSTART_FAILPOINT("act.before:" + stage_.name + "." + action.id);
  try {
    co_await implementation_->act(context_, action);
  } catch (const Error& error) {
    failure = std::current_exception();
    outcome = error.error_class() == ErrorClass::kCancelled ? "cancelled" : "failed";
    detail = events::clean_text(session_.bus.redactor(), error);
  } catch (...) {
    if (!is_cancellation(std::current_exception())) throw;
    failure = std::current_exception();
    outcome = "cancelled";
  }
  BLACKSTART_FAILPOINT("act.after:" + stage_.name + "." + action.id);
  auto elapsed = std::chrono::duration_cast<Duration>(session_.world.clock.now() - begun);
  session_.bus.publish(events::ActionEnded{stage_.name, action.id, outcome, elapsed.count()});
  context_.progress("");
  // A cancelled action's effect is not known: its intent stays open, as after a crash.
  if (outcome != "cancelled") co_await session_.journal.outcome(intent, outcome, detail);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace blackstart::engine
