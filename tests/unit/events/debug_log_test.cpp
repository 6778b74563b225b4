#include "orchestrator/events/debug_log.h"

#include <gtest/gtest.h>

#include "tests/unit/events/collecting.h"

namespace blackstart::events {
namespace {

TEST(DebugLog, WritesEventsWithTheBussTimeBehindItsRedactor) {
  std::string text;
  ManualClock clock;
  Bus bus(clock);
  bus.add_sink(std::make_unique<DebugLog>(into(text)));
  bus.redactor().add("hunter2");
  bus.publish(Notice{"error", "", "", "GET /api hunter2", {}, ""});
  EXPECT_TRUE(text.starts_with("2026-01-02T04:04:05.000Z error    event: {\"schema\"")) << text;
  EXPECT_NE(text.find("GET /api ***"), std::string::npos) << text;
}

TEST(DebugLog, LeavesOutWhatIsBelowItsLevel) {
  std::string text;
  ManualClock clock;
  Bus bus(clock);
  auto log = std::make_unique<DebugLog>(into(text));
  log->set_level(LogLevel::kWarning);
  bus.add_sink(std::move(log));
  bus.publish(Waiting{"a", "b"});
  EXPECT_EQ(text, "");
}

TEST(DebugLog, KnowsItsLevelsByName) {
  for (const std::string& name : log_level_names()) EXPECT_TRUE(parse_log_level(name)) << name;
  EXPECT_EQ(parse_log_level("warning"), LogLevel::kWarning);
  EXPECT_EQ(parse_log_level("verbose"), std::nullopt);
}

}  // namespace
}  // namespace blackstart::events
