#include "orchestrator/journal/event_sink.h"

namespace blackstart::journal {

EventSink::EventSink(Journal& journal) : journal_(journal) {}

void EventSink::on_event(const events::Event& event) {
  journal_.append_event(event.sequence, events::to_json_line(event));
}

}  // namespace blackstart::journal
