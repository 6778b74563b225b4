// The debug log: every event and what the rooms have to say beside, for the developer (spdlog).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/events/bus.h"
#include "orchestrator/events/writer.h"

namespace blackstart::events {

/// From the finest to none: "trace", "debug", "info", "warning", "error", "off".
std::vector<std::string> log_level_names();
/// nullopt for what is not one of these names.
std::optional<LogLevel> parse_log_level(std::string_view name);

/// Rooms write to it through Bus::log, so that the bus's redactor stands before it too.
class DebugLog final : public Sink {
 public:
  explicit DebugLog(Writer writer);
  ~DebugLog() override;
  /// Failures are logged as errors, what tools print as trace, all else as info.
  void on_event(const Event& event) override;
  void on_log(const LogLine& line) override;
  /// Lines and events below this level are left out.
  void set_level(LogLevel level);

 private:
  struct Logger;
  std::unique_ptr<Logger> logger_;
};

}  // namespace blackstart::events
