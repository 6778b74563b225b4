// Lets the journal keep the events of a run, for `runs` and for reports after the fact.
#pragma once

#include "orchestrator/events/bus.h"
#include "orchestrator/journal/journal.h"

namespace blackstart::journal {

class EventSink final : public events::Sink {
 public:
  /// `journal` is not owned and outlives the bus.
  explicit EventSink(Journal& journal);
  void on_event(const events::Event& event) override;

 private:
  Journal& journal_;
};

}  // namespace blackstart::journal
