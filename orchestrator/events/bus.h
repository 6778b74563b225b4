// From the publishers to the sinks, through the redactor.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/events/event.h"
#include "orchestrator/events/redactor.h"

namespace blackstart::events {

/// A view of the stream. Called on the loop, in order; must not throw and must not block for long.
/// What it publishes itself follows the event that it is handed.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void on_event(const Event& event) = 0;
  virtual void flush() {}
};

/// Numbers, stamps, cleans and hands out events: each string of a payload is redacted, made
/// printable (events/printable.h) and cut at 4 KiB before any sink sees it. Output lines beyond 500
/// in a second are counted instead, per stage. Loop-confined.
class Bus {
 public:
  explicit Bus(Clock& clock);
  void add_sink(std::unique_ptr<Sink> sink);
  void publish(Payload payload);
  void flush();
  Redactor& redactor() { return redactor_; }

 private:
  struct OutputWindow {
    Instant start;
    int64_t lines = 0;
    int64_t left_out = 0;
  };

  void emit(Payload payload);
  void hand_out(Payload& payload);
  bool admit(const OutputLine& output);
  void report_left_out(const std::string& stage, OutputWindow& window);

  Clock& clock_;
  Instant begin_;
  Redactor redactor_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::map<std::string, OutputWindow> output_;  // by stage
  std::deque<Payload> pending_;  // more than one: a sink publishes while it is handed the first
  uint64_t sequence_ = 0;
};

}  // namespace blackstart::events
