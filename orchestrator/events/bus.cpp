#include "orchestrator/events/bus.h"

#include <algorithm>
#include <array>

#include "orchestrator/events/printable.h"

namespace blackstart::events {
namespace {

constexpr size_t kFieldSizeMax = 4096;
constexpr size_t kSearchedSizeMax = 65536;  // no field is searched for secrets further than this
constexpr size_t kCauseCountMax = 32;
constexpr int64_t kOutputLinesPerSecond = 500;

std::string cleaned(const Redactor& redactor, bool wrapped, std::string text) {
  if (text.size() > kSearchedSizeMax) text.resize(kSearchedSizeMax);
  text = wrapped ? redactor.clean_wrapped(text) : redactor.clean(text);
  return printable(text, kFieldSizeMax);
}

/// Cleans the fields of one payload.
class Cleaner {
 public:
  explicit Cleaner(const Redactor& redactor) : redactor_(redactor) {}

  void operator()(std::string_view name, std::string& text) const {
    text = is_word(name) ? printable(text, kFieldSizeMax)
                         : cleaned(redactor_, is_prose(name), std::move(text));
  }
  void operator()(std::string_view name, std::vector<std::string>& texts) const {
    if (texts.size() > kCauseCountMax) texts.resize(kCauseCountMax);
    for (std::string& text : texts) (*this)(name, text);
  }
  void operator()(std::string_view, int64_t) const {}
  void operator()(std::string_view, bool) const {}

 private:
  /// Prose may quote a tool that wraps its lines. Names may not be treated so: a stage called like
  /// the first half of a password must keep its name.
  static bool is_prose(std::string_view name) {
    static constexpr std::array<std::string_view, 7> kProse = {"line", "message", "causes", "cause",
                                                               "hint", "reason",  "summary"};
    return std::ranges::find(kProse, name) != kProse.end();
  }

  const Redactor& redactor_;
};

}  // namespace

Bus::Bus(Clock& clock) : clock_(clock), begin_(clock.now()) {}

void Bus::add_sink(std::unique_ptr<Sink> sink) { sinks_.push_back(std::move(sink)); }

void Bus::publish(Payload payload) {
  const auto* output = std::get_if<OutputLine>(&payload);
  if (output != nullptr && !admit(*output)) return;
  if (const auto* changed = std::get_if<StageChanged>(&payload)) {
    auto window = output_.find(changed->stage);
    if (window != output_.end()) report_left_out(window->first, window->second);
  }
  emit(std::move(payload));
}

void Bus::emit(Payload payload) {
  pending_.push_back(std::move(payload));
  if (pending_.size() > 1) return;
  for (; !pending_.empty(); pending_.pop_front()) hand_out(pending_.front());
}

void Bus::hand_out(Payload& payload) {
  visit_fields(payload, Cleaner(redactor_));
  auto elapsed = std::chrono::duration_cast<Duration>(clock_.now() - begin_);
  Event event{++sequence_, clock_.wall_time(), std::move(payload), elapsed};
  for (auto& sink : sinks_) sink->on_event(event);
}

bool Bus::admit(const OutputLine& output) {
  OutputWindow& window = output_[output.stage];
  if (clock_.now() - window.start >= std::chrono::seconds(1)) {
    report_left_out(output.stage, window);
    window = {clock_.now(), 0, 0};
  }
  bool admitted = window.lines < kOutputLinesPerSecond;
  ++(admitted ? window.lines : window.left_out);
  return admitted;
}

void Bus::report_left_out(const std::string& stage, OutputWindow& window) {
  if (window.left_out == 0) return;
  std::string note = "… " + count_of(static_cast<size_t>(window.left_out), "line") + " left out";
  window.left_out = 0;
  emit(OutputLine{stage, "stdout", std::move(note)});
}

void Bus::flush() {
  for (auto& [stage, window] : output_) report_left_out(stage, window);
  for (auto& sink : sinks_) sink->flush();
}

}  // namespace blackstart::events
