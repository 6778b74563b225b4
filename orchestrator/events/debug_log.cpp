#include "orchestrator/events/debug_log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <array>

namespace blackstart::events {
namespace {

constexpr std::array<std::pair<std::string_view, LogLevel>, 6> kLevels = {{
    {"trace", LogLevel::kTrace},
    {"debug", LogLevel::kDebug},
    {"info", LogLevel::kInfo},
    {"warning", LogLevel::kWarning},
    {"error", LogLevel::kError},
    {"off", LogLevel::kOff},
}};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace: return spdlog::level::trace;
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
    case LogLevel::kOff: return spdlog::level::off;
  }
  return spdlog::level::off;
}

LogLevel level_of(const Event& event) {
  if (std::holds_alternative<OutputLine>(event.payload)) return LogLevel::kTrace;
  const auto* notice = std::get_if<Notice>(&event.payload);
  if (notice != nullptr && notice->severity == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

/// Hands formatted lines to a Writer; the loop is its only caller, so no lock.
class WriterSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit WriterSink(Writer writer) : writer_(std::move(writer)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t buffer;
    formatter_->format(message, buffer);
    writer_(std::string_view(buffer.data(), buffer.size()));
  }
  void flush_() override {}

 private:
  Writer writer_;
};

}  // namespace

struct DebugLog::Logger {
  explicit Logger(Writer writer)
      : log("blackstart", std::make_shared<WriterSink>(std::move(writer))) {
    log.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %-8l %v", spdlog::pattern_time_type::utc, "\n"));
    log.set_level(spdlog::level::trace);
  }

  /// With the time of the bus: spdlog must not look at a clock of its own.
  void write(WallTime time, LogLevel level, const std::string& line) {
    auto stamp = std::chrono::time_point_cast<spdlog::log_clock::duration>(time);
    log.log(stamp, ::spdlog::source_loc{}, spdlog_level(level), line);
  }

  spdlog::logger log;
};

std::vector<std::string> log_level_names() {
  std::vector<std::string> names;
  for (const auto& [name, level] : kLevels) names.emplace_back(name);
  return names;
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  const auto* found =
      std::ranges::find(kLevels, name, &std::pair<std::string_view, LogLevel>::first);
  return found == kLevels.end() ? std::nullopt : std::optional(found->second);
}

DebugLog::DebugLog(Writer writer) : logger_(std::make_unique<Logger>(std::move(writer))) {}
DebugLog::~DebugLog() = default;

void DebugLog::set_level(LogLevel level) { logger_->log.set_level(spdlog_level(level)); }

void DebugLog::on_event(const Event& event) {
  logger_->write(event.time, level_of(event), "event: " + to_json_line(event));
}

}  // namespace blackstart::events
