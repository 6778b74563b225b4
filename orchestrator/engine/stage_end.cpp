// StageRun: how a stage ends, what the journal then remembers of it, and what a user is told.
#include <boost/json/serialize.hpp>

#include "orchestrator/engine/stage_run.h"

namespace blackstart::engine {

Task<void> StageRun::finish() {
  auto elapsed = std::chrono::duration_cast<Duration>(session_.world.clock.now() - started_);
  result().elapsed = elapsed;
  result().reason =
      result().decision.reason.empty() ? result().seen.reason : result().decision.reason;
  if (!context_.interrupted().empty()) {
    std::string how = session_.bus.redactor().clean_wrapped("observed " + result().reason);
    co_await session_.journal.settle(stage_.name, std::move(how));
  }
  if (direction_ == Direction::kRemoval) {
    if (context_.record()) co_await session_.journal.forget_stage(stage_.name);
  } else {
    publish_outputs();
    journal::StageRecord record;
    record.digest = result().digest;
    record.run = session_.run_id;
    record.done_at = session_.world.clock.wall_time();
    record.observation = session_.bus.redactor().clean_wrapped(result().seen.reason);
    record.elapsed_ms = result().acted ? elapsed.count() : 0;
    for (const plan::OutputSpec& output : type_.schema.outputs) {
      auto found = result().seen.outputs.find(output.name);
      if (found != result().seen.outputs.end() && !output.secret)
        record.outputs[output.name] = boost::json::serialize(found->second);
    }
    if (result().acted) {
      co_await session_.journal.stage_done(stage_.name, std::move(record));
    } else {
      session_.journal.note_satisfied(stage_.name, std::move(record));
    }
  }
  enter(result().acted ? StageState::kDone : StageState::kSatisfied, result().reason);
}

void StageRun::publish_outputs() {
  for (const auto& [name, value] : result().seen.outputs) {
    for (const plan::OutputSpec& output : type_.schema.outputs) {
      if (output.name == name && output.secret && value.is_string())
        session_.bus.redactor().add(value.as_string());
    }
    session_.outputs[stage_.name][name] = value;
  }
}

Error StageRun::out_of_time() const {
  const std::string& silent = context_.reaching;
  std::string waited = !waited_for_.empty() ? waited_for_
                       : silent.empty()     ? "its action did not end"
                                            : "no answer from " + silent;
  bool unreachable =
      never_reached() && (!silent.empty() || last_class_ == ErrorClass::kUnreachable);
  Error error(unreachable ? ErrorClass::kUnreachable : ErrorClass::kDeadline,
              "not done within " + format_duration(stage_.timeout) + ": " + waited);
  for (const std::string& cause : last_causes_) error.because(cause);
  if (!last_hint_.empty()) error.hint(last_hint_ + "; then run again: it goes on where it stopped");
  error.hint(
      "see what holds it up, then run again: it goes on where it stopped. A longer `timeout:` of "
      "the stage gives it more time");
  return error;
}

void StageRun::record_failure(std::exception_ptr failure) {
  StageState state = StageState::kFailed;
  Error error(ErrorClass::kBug, "unexpected failure");
  try {
    std::rethrow_exception(failure);
  } catch (const Error& known) {
    bool ours = known.error_class() == ErrorClass::kDeadline && known.summary().empty();
    error = ours ? out_of_time() : known;
  } catch (const std::exception& unknown) {
    if (is_cancellation(failure)) {
      error = stopped();
    } else {
      error.because(unknown.what());
    }
  } catch (const plan::NotKnownYet& unknown) {
    error = not_known(stage_, unknown);
  }
  if (error.error_class() == ErrorClass::kCancelled) {
    state = StageState::kStopped;
  } else {
    error.at(stage_.place);
  }
  if (!stage_.notes.empty()) error.hint(stage_.notes);
  result().failure = error;
  if (context_.read_only) {
    result().state = state;
    result().reason = events::clean_text(session_.bus.redactor(), error);
    return;
  }
  enter(state, error.summary());
  if (state == StageState::kFailed) session_.bus.publish(events::notice_of(error, stage_.name));
  if (state == StageState::kFailed && stage_.on_failure == plan::OnFailure::kStop)
    session_.nothing_new = true;
}

}  // namespace blackstart::engine
