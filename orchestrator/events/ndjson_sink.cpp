#include "orchestrator/events/ndjson_sink.h"

namespace blackstart::events {

NdjsonSink::NdjsonSink(Writer writer, std::function<void()> on_failure)
    : writer_(std::move(writer)), on_failure_(std::move(on_failure)) {}

void NdjsonSink::on_event(const Event& event) {
  if (failed_) return;
  failed_ = !writer_(to_json_line(event) + "\n");
  if (failed_ && on_failure_) on_failure_();
}

}  // namespace blackstart::events
