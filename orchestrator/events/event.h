// What a run tells the world: one typed stream that terminal, log, NDJSON, report and journal
// share.
//
// Every payload lists its fields once, in `visit`; redaction and serialisation both walk that list,
// so a field cannot be printed without having been redacted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/events/redactor.h"
#include "orchestrator/world/clock.h"

namespace blackstart::events {

/// The version of the NDJSON schema; only ever added to within one number.
inline constexpr const char* kSchema = "blackstart.events/1";

struct RunStarted {
  static constexpr const char* kType = "run.start";
  std::string run;      // id, sortable by time
  std::string command;  // "apply", "plan", "status", "destroy"
  std::string plan;     // metadata.name
  std::string plan_file;
  std::string environment;
  std::string state_folder;
  std::string version;  // of this program
  int64_t stages = 0;
  template <class V>
  void visit(V&& v) {
    v("run", run);
    v("command", command);
    v("plan", plan);
    v("plan_file", plan_file);
    v("environment", environment);
    v("state_folder", state_folder);
    v("version", version);
    v("stages", stages);
  }
};

struct StageChanged {
  static constexpr const char* kType = "stage";
  std::string stage;
  std::string uses;
  std::string state;       // engine/result.h: "waiting", "observing", …, "done", "failed"
  std::string reason;      // a sentence; may be empty
  int64_t elapsed_ms = 0;  // since the stage started
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("uses", uses);
    v("state", state);
    v("reason", reason);
    v("elapsed_ms", elapsed_ms);
  }
};

struct Observed {
  static constexpr const char* kType = "observation";
  std::string stage;
  std::string state;  // "present", "absent", "differs", "deferred"
  std::string reason;
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("state", state);
    v("reason", reason);
  }
};

struct ActionStarted {
  static constexpr const char* kType = "action.start";
  std::string stage;
  std::string action;  // id, unique within the stage
  std::string summary;
  int64_t attempt = 1;
  bool once = false;
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("action", action);
    v("summary", summary);
    v("attempt", attempt);
    v("once", once);
  }
};

struct ActionEnded {
  static constexpr const char* kType = "action.end";
  std::string stage;
  std::string action;
  std::string result;  // "done", "failed", "cancelled"
  int64_t elapsed_ms = 0;
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("action", action);
    v("result", result);
    v("elapsed_ms", elapsed_ms);
  }
};

struct Retrying {
  static constexpr const char* kType = "retry";
  std::string stage;
  std::string error_class;
  std::string cause;
  int64_t attempt = 0;
  int64_t delay_ms = 0;
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("error_class", error_class);
    v("cause", cause);
    v("attempt", attempt);
    v("delay_ms", delay_ms);
  }
};

/// Why a stage waits; sent when the reason changes.
struct Waiting {
  static constexpr const char* kType = "wait";
  std::string stage;
  std::string reason;
  std::vector<std::string> waits_for = {};  // the things that hold it up, by name; may be empty
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("reason", reason);
    v("waits_for", waits_for);
  }
};

/// Sent every 10 s for each running stage, so that silence never means "hung".
struct Heartbeat {
  static constexpr const char* kType = "heartbeat";
  std::string stage;
  std::string state;
  std::string reason;
  int64_t elapsed_ms = 0;
  int64_t deadline_ms = 0;  // until the stage's deadline
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("state", state);
    v("reason", reason);
    v("elapsed_ms", elapsed_ms);
    v("deadline_ms", deadline_ms);
  }
};

/// A line that a tool printed.
struct OutputLine {
  static constexpr const char* kType = "output";
  std::string stage;
  std::string stream;  // "stdout" or "stderr"
  std::string line;
  template <class V>
  void visit(V&& v) {
    v("stage", stage);
    v("stream", stream);
    v("line", line);
  }
};

/// A finding, a failure or a note to the user.
struct Notice {
  static constexpr const char* kType = "diagnostic";
  std::string severity;  // "error", "warning", "info"
  std::string stage;     // may be empty
  std::string place;     // file:line:column; may be empty
  std::string message;
  std::vector<std::string> causes;
  std::string hint;
  template <class V>
  void visit(V&& v) {
    v("severity", severity);
    v("stage", stage);
    v("place", place);
    v("message", message);
    v("causes", causes);
    v("hint", hint);
  }
};

struct RunEnded {
  static constexpr const char* kType = "run.end";
  std::string run;
  std::string result;  // "done", "nothing to do", "changes pending", "does not hold", "failed",
                       // "out of time", "stopped"
  int64_t exit_code = 0;
  int64_t elapsed_ms = 0;
  int64_t done = 0;       // stages that acted
  int64_t satisfied = 0;  // stages with nothing to do
  int64_t failed = 0;
  int64_t blocked = 0;
  int64_t skipped = 0;
  int64_t stopped = 0;  // unfinished or not begun: a signal, or `onFailure: stop`
  std::string resume;   // the command that goes on; empty when it would get no further
  template <class V>
  void visit(V&& v) {
    v("run", run);
    v("result", result);
    v("exit_code", exit_code);
    v("elapsed_ms", elapsed_ms);
    v("done", done);
    v("satisfied", satisfied);
    v("failed", failed);
    v("blocked", blocked);
    v("skipped", skipped);
    v("stopped", stopped);
    v("resume", resume);
  }
};

using Payload = std::variant<RunStarted, StageChanged, Observed, ActionStarted, ActionEnded,
                             Retrying, Waiting, Heartbeat, OutputLine, Notice, RunEnded>;

struct Event {
  uint64_t sequence = 0;  // from 1, without gaps within one run of the program
  WallTime time;
  Payload payload;
  Duration elapsed{0};  // since the program began; no step of the wall clock moves it
};

/// The payload's type as it stands in the stream ("run.start", "stage", …).
const char* type_of(const Payload& payload);

/// Calls `visitor(name, field)` for every field, in order; fields may be changed.
template <class Visitor>
void visit_fields(Payload& payload, Visitor&& visitor) {
  std::visit([&visitor](auto& fields) { fields.visit(visitor); }, payload);
}

/// The same for reading. A payload declares its one list of fields on a mutable self; the cast is
/// sound because only const fields are handed on.
template <class Visitor>
void visit_fields(const Payload& payload, Visitor&& visitor) {
  visit_fields(const_cast<Payload&>(payload),
               [&visitor](const char* name, const auto& field) { visitor(name, field); });
}

/// The event as one JSON object without line break: {"schema":…,"seq":…,"ts":…,"type":…, fields}.
std::string to_json_line(const Event& event);

/// Whether a field of that name holds a word of ours or a name of the plan. Such a field holds no
/// value, and keeps its text: a stage may be called like somebody's password.
bool is_word(std::string_view field);

/// The error's full text, cleaned piece by piece: once its causes are one line, the halves of a
/// secret that a tool had wrapped are no longer found.
std::string clean_text(const Redactor& redactor, const Error& error);

/// Builds the notice for a failure.
Notice notice_of(const Error& error, std::string stage);

}  // namespace blackstart::events
