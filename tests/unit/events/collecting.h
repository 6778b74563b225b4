// A clock that stands still until told, and a writer that remembers.
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/events/bus.h"
#include "orchestrator/events/writer.h"

namespace blackstart::events {

class ManualClock final : public Clock {
 public:
  Instant now() const override { return Instant(elapsed); }
  WallTime wall_time() const override {
    return WallTime(std::chrono::seconds(1767323045) + elapsed);
  }
  Task<void> sleep_until(Instant) override { co_return; }

  Duration elapsed = std::chrono::hours(1);
};

inline Writer into(std::string& text) {
  return [&text](std::string_view piece) {
    text += piece;
    return true;
  };
}

/// One event of every payload type with `text` in every string field that may hold a value, and
/// `word` in the others.
inline std::vector<Payload> every_payload(const std::string& text, const std::string& word) {
  std::vector<Payload> payloads = {RunStarted{},  StageChanged{}, Observed{}, ActionStarted{},
                                   ActionEnded{}, Retrying{},     Waiting{},  Heartbeat{},
                                   OutputLine{},  Notice{},       RunEnded{}};
  struct Fill {
    const std::string& text;
    const std::string& word;
    void operator()(const char* name, std::string& field) const {
      field = is_word(name) ? word : text;
    }
    void operator()(const char*, std::vector<std::string>& field) const { field = {text, text}; }
    void operator()(const char*, int64_t& field) const { field = 7; }
    void operator()(const char*, bool& field) const { field = true; }
  };
  for (Payload& payload : payloads) visit_fields(payload, Fill{text, word});
  return payloads;
}
static_assert(std::variant_size_v<Payload> == 11, "a new payload type belongs into every_payload");

}  // namespace blackstart::events
