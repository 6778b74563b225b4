// The stream for people and CI logs: one line an event, no colours, nothing that moves.
//
// A stage that waits gets a line when the things it waits for change, and no more than one in a
// second; what changes about them in between comes with the next heartbeat.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/events/bus.h"
#include "orchestrator/events/writer.h"

namespace blackstart::events {

struct PlainOptions {
  bool verbose = false;     // also what tools print, observations and every change of state
  size_t stage_width = 0;   // of the longest stage name; 0 = the column grows with the names seen
  std::string folder = {};  // where the user stands: places are shown from there
};

class PlainSink final : public Sink {
 public:
  PlainSink(Writer writer, PlainOptions options);
  void on_event(const Event& event) override;

 private:
  struct Broken {
    std::string stage;
    std::string state;  // "failed", "unknown", "blocked"
    std::string reason;
  };

  /// What was last said of a stage that waits.
  struct Wait {
    std::vector<std::string> waits_for;
    Duration shown_at{};
    std::string held_back;  // a newer reason, a mere detail of what was shown
  };

  void show(const RunStarted& run);
  void show(const StageChanged& change);
  void show(const Observed& observed);
  void show(const ActionStarted& action);
  void show(const ActionEnded& action);
  void show(const Retrying& retry);
  void show(const Waiting& waiting);
  void show(const Heartbeat& heartbeat);
  void show(const OutputLine& output);
  void show(const Notice& notice);
  void show(const RunEnded& end);

  void show_held_back(const StageChanged& ending);
  /// "00:03 cluster   ▸ text", further lines of `text` indented below its first.
  void line(const std::string& stage, std::string_view mark, const std::string& text);
  void write(const std::string& text);

  Writer writer_;
  PlainOptions options_;
  Duration elapsed_{};
  std::map<std::string, std::string> summaries_;    // of running actions, by stage and action
  std::map<std::string, Wait> waits_;               // by stage
  std::map<std::string, std::string> retried_for_;  // by stage: the newest cause
  std::vector<Broken> broken_;
};

}  // namespace blackstart::events
