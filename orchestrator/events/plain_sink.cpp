#include "orchestrator/events/plain_sink.h"

#include <algorithm>
#include <cstdio>

#include "orchestrator/base/path.h"
#include "orchestrator/base/text.h"

namespace blackstart::events {
namespace {

constexpr size_t kStageWidthMax = 32;
constexpr auto kBetweenWaits = std::chrono::seconds(1);

std::string since_begin(Duration elapsed) {
  long long seconds = std::max<long long>(0, elapsed.count() / 1000);
  char text[48];
  if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%02lld:%02lld", seconds / 60, seconds % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                  seconds % 60);
  }
  return text;
}

std::string duration(int64_t milliseconds) { return format_duration(Duration(milliseconds)); }

std::string with_reason(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

std::string indented(const std::string& text, size_t columns) {
  return join(split(text, '\n'), "\n" + std::string(columns, ' '));
}

std::string action_key(const std::string& stage, const std::string& action) {
  return stage + '\n' + action;
}

/// How the end of a stage looks; the states before it are shown at a verbose setting only.
struct Ending {
  std::string_view state;
  std::string_view mark;
  std::string_view text;
  bool broken;
};

constexpr Ending kEndings[] = {
    {"done", "✓", "done in", false},       {"satisfied", "✓", "nothing to do", false},
    {"failed", "✗", "failed after", true}, {"unknown", "?", "unknown", true},
    {"blocked", "–", "blocked", true},     {"skipped", "–", "skipped", false},
    {"stopped", "–", "stopped", true},
};

std::string counts(const RunEnded& end) {
  const std::pair<int64_t, std::string_view> parts[] = {
      {end.done, "done"},       {end.satisfied, "with nothing to do"},
      {end.failed, "failed"},   {end.stopped, "stopped"},
      {end.blocked, "blocked"}, {end.skipped, "skipped"}};
  std::vector<std::string> texts;
  for (const auto& [count, name] : parts) {
    if (count > 0) texts.push_back(std::to_string(count) + " " + std::string(name));
  }
  return texts.empty() ? "no stage" : join(texts, ", ");
}

}  // namespace

PlainSink::PlainSink(Writer writer, PlainOptions options)
    : writer_(std::move(writer)), options_(std::move(options)) {
  options_.stage_width = std::min(options_.stage_width, kStageWidthMax);
}

void PlainSink::on_event(const Event& event) {
  elapsed_ = event.elapsed;
  std::visit([this](const auto& payload) { show(payload); }, event.payload);
}

void PlainSink::write(const std::string& text) { writer_(text + "\n"); }

void PlainSink::line(const std::string& stage, std::string_view mark, const std::string& text) {
  options_.stage_width = std::max(options_.stage_width, std::min(stage.size(), kStageWidthMax));
  std::string head = since_begin(elapsed_) + " " + stage;
  size_t padding = stage.size() < options_.stage_width ? options_.stage_width - stage.size() : 0;
  head.append(padding + 1, ' ');
  size_t column = head.size() + 2;
  write(head.append(mark) + " " + indented(text, column));
}

void PlainSink::show(const RunStarted& run) {
  std::string text = run.command + " " + run.plan;
  if (!run.environment.empty()) text += " (environment " + run.environment + ")";
  write(text + ": " + count_of(static_cast<size_t>(run.stages), "stage") + ", run " + run.run);
}

void PlainSink::show(const StageChanged& change) {
  const auto* ending = std::ranges::find(kEndings, change.state, &Ending::state);
  if (ending == std::end(kEndings)) {
    if (options_.verbose) line(change.stage, "·", with_reason(change.state, change.reason));
    return;
  }
  show_held_back(change);
  std::string text(ending->text);
  bool timed = ending->text.ends_with(" in") || ending->text.ends_with(" after");
  if (timed) text += " " + duration(change.elapsed_ms);
  line(change.stage, ending->mark, with_reason(text, change.reason));
  if (ending->broken) broken_.push_back({change.stage, change.state, change.reason});
}

/// The last reason of a wait is not lost with the stage, unless its end says the same.
void PlainSink::show_held_back(const StageChanged& ending) {
  auto wait = waits_.extract(ending.stage);
  if (wait.empty() || wait.mapped().held_back.empty()) return;
  const std::string& reason = wait.mapped().held_back;
  bool well = ending.state == "done" || ending.state == "satisfied";
  if (!well && ending.reason.find(reason) == std::string::npos)
    line(ending.stage, "·", "waiting: " + reason);
}

void PlainSink::show(const Observed& observed) {
  if (options_.verbose)
    line(observed.stage, "·", with_reason("observed " + observed.state, observed.reason));
}

void PlainSink::show(const ActionStarted& action) {
  waits_.erase(action.stage);  // what is waited for after it is news
  summaries_[action_key(action.stage, action.action)] = action.summary;
  std::string text = action.summary.empty() ? action.action : action.summary;
  if (action.attempt > 1) text += " (attempt " + std::to_string(action.attempt) + ")";
  line(action.stage, "▸", text);
}

void PlainSink::show(const ActionEnded& action) {
  auto summary = summaries_.extract(action_key(action.stage, action.action));
  if (action.result == "done" && !options_.verbose)
    return;  // the next line of the stage says as much
  bool named = !summary.empty() && !summary.mapped().empty();
  std::string text = (named ? summary.mapped() : action.action) + ": " + action.result + " after ";
  line(action.stage, action.result == "done" ? "✓" : "✗", text + duration(action.elapsed_ms));
}

void PlainSink::show(const Retrying& retry) {
  std::string& known = retried_for_[retry.stage];
  bool same = retry.attempt > 1 && known == retry.cause && !options_.verbose;
  known = retry.cause;
  line(retry.stage, "↻",
       "attempt " + std::to_string(retry.attempt) + " failed (" + retry.error_class +
           "), next in " + duration(retry.delay_ms) + ": " + (same ? "as before" : retry.cause));
}

void PlainSink::show(const Waiting& waiting) {
  // A reason that names nothing counts as a thing of its own.
  auto waits_for = waiting.waits_for.empty() ? std::vector{waiting.reason} : waiting.waits_for;
  auto [known, first] = waits_.try_emplace(waiting.stage);
  Wait& wait = known->second;
  bool too_soon = !first && elapsed_ - wait.shown_at < kBetweenWaits;
  if (!options_.verbose && (too_soon || wait.waits_for == waits_for)) {
    wait.held_back = waiting.reason;
    return;
  }
  wait = {std::move(waits_for), elapsed_, ""};
  line(waiting.stage, "·", "waiting: " + waiting.reason);
}

void PlainSink::show(const Heartbeat& heartbeat) {
  if (auto wait = waits_.find(heartbeat.stage); wait != waits_.end())
    wait->second.held_back.clear();
  std::string text = "still " + heartbeat.state + " after " + duration(heartbeat.elapsed_ms);
  if (heartbeat.deadline_ms > 0) text += ", " + duration(heartbeat.deadline_ms) + " left";
  line(heartbeat.stage, "…", with_reason(text, heartbeat.reason));
}

void PlainSink::show(const OutputLine& output) {
  if (options_.verbose) line(output.stage, "|", output.line);
}

void PlainSink::show(const Notice& notice) {
  std::string place = notice.place.empty() ? "" : seen_from(options_.folder, notice.place) + ": ";
  std::string stage = notice.stage.empty() ? "" : notice.stage + ": ";
  write(place + notice.severity + ": " + stage + indented(notice.message, 4));
  for (const std::string& cause : notice.causes) write("    " + indented(cause, 4));
  if (!notice.hint.empty()) write("    what to do: " + indented(notice.hint, 4));
}

void PlainSink::show(const RunEnded& end) {
  write(end.result + " after " + duration(end.elapsed_ms) + ": " + counts(end));
  for (const Broken& broken : broken_) {
    write("  " + broken.state + " " + broken.stage + (broken.reason.empty() ? "" : ": ") +
          indented(broken.reason, 4));
  }
  if (!end.resume.empty()) write("to go on: " + end.resume);
}

}  // namespace blackstart::events
