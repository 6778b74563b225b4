// The debug log: every event, for the developer who reads along (spdlog).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/events/bus.h"
#include "orchestrator/events/writer.h"

namespace blackstart::events {

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

/// From the finest to none: "trace", "debug", "info", "warning", "error", "off".
std::vector<std::string> log_level_names();
/// nullopt for what is not one of these names.
std::optional<LogLevel> parse_log_level(std::string_view name);

class DebugLog final : public Sink {
 public:
  explicit DebugLog(Writer writer);
  ~DebugLog() override;
  /// Failures are logged as errors, what tools print as trace, all else as info.
  void on_event(const Event& event) override;
  /// Events below this level are left out.
  void set_level(LogLevel level);

 private:
  struct Logger;
  std::unique_ptr<Logger> logger_;
};

}  // namespace blackstart::events
