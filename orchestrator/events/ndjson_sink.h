// The stream for programs: one JSON object a line, as docs/events.schema.json says.
#pragma once

#include "orchestrator/events/bus.h"
#include "orchestrator/events/writer.h"

namespace blackstart::events {

class NdjsonSink final : public Sink {
 public:
  /// `on_failure` is called once, when a line could not be written; nothing is written after that,
  /// since a stream with a hole in it would be read as a whole one.
  explicit NdjsonSink(Writer writer, std::function<void()> on_failure = {});
  void on_event(const Event& event) override;

 private:
  Writer writer_;
  std::function<void()> on_failure_;
  bool failed_ = false;
};

}  // namespace blackstart::events
