// One stage in one run: the loop observe -> decide -> act that everything else serves.
#pragma once

#include <memory>
#include <string>

#include "orchestrator/engine/session.h"

namespace blackstart::engine {

/// An option or a condition of `stage` needs an output that nobody will publish in this run.
Error not_known(const plan::Stage& stage, const plan::NotKnownYet& unknown);

/// Towards what the plan says, or away from it.
enum class Direction { kForward, kRemoval };

/// Lives from the stage's start to its end; writes its StageResult. Loop-confined.
class StageRun {
 public:
  StageRun(Session& session, size_t index, Direction direction);

  /// Observes and decides, changes nothing. Never throws but when cancelled: trouble is in the
  /// result.
  Task<void> preview();
  /// Makes it so (in removal: takes it away), until that holds, is blocked or out of time. Never
  /// throws: trouble is in the result.
  Task<void> run();

 private:
  /// In a row: a success forgives them. Looks and actions count apart, for a look that succeeds
  /// says nothing about an action that fails.
  struct Failures {
    int counted = 0;  // use up the stage's attempts
    int outages = 0;  // are waited out until the deadline
  };
  /// How often an action was begun, and how often it went through.
  struct Tries {
    int begun = 0;
    int done = 0;
  };

  /// While it lives, time does not count against the stage's deadline.
  class OffTheClock {
   public:
    OffTheClock(StageRun& run, std::string waits_for);
    ~OffTheClock();
    OffTheClock(const OffTheClock&) = delete;
    OffTheClock& operator=(const OffTheClock&) = delete;

   private:
    StageRun& run_;
    Instant begun_;
    std::shared_ptr<Event> over_;
  };

  static Error stopped();
  StageResult& result() { return session_.results[index_]; }
  Task<void> reconcile();
  Task<void> prepare_inputs();
  Task<void> until_deadline();
  Task<Limit::Slot> turn(Limit& limit);
  Task<Observation> look();
  Task<Observation> look_in_turn();
  Task<Observation> look_unless_stopped();
  void refuse_if_deferred(const Observation& seen) const;
  Decision decide(const Observation& seen) const;
  void check_against_saved(const Decision& decision) const;
  Task<void> perform_all(const Decision& decision);
  Task<void> perform(const Action& action);
  Task<void> ask(const Action& action);
  Task<void> act_once_begun(const Action& action, int64_t intent);
  Task<void> wait_for_change(Decision decision);
  Task<void> pause_before_retry(const Error& error, Failures& failures);
  Task<void> pause(Duration delay);
  bool never_reached() const;
  bool may_come_up() const;
  Error never_answered(Error error, int attempt) const;
  Task<void> finish();
  void record_failure(std::exception_ptr failure);
  Error out_of_time() const;
  void enter(StageState state, std::string reason);
  void say_waiting(const Decision& decision);
  void publish_outputs();

  Session& session_;
  size_t index_;
  Direction direction_;
  const plan::Stage& stage_;
  const StageType& type_;
  std::unique_ptr<Stage> implementation_;
  Context context_;
  Instant started_;
  Instant looked_at_{};
  std::shared_ptr<Event> paused_;  // set when the clock goes on; null while it goes
  std::string known_after_;        // the stage whose output is missing to read the options in full
  std::string waited_for_;         // the newest reason for not being done
  std::vector<std::string> last_causes_;
  std::string last_hint_;  // what to do about them, if it is more than to wait
  ErrorClass last_class_ = ErrorClass::kDeadline;
  std::map<std::string, Tries> tries_;  // of the same action
  bool first_decision_ = true;
  Failures of_looks_;
  Failures of_actions_;
};

}  // namespace blackstart::engine
