#include "orchestrator/world/clock.h"

#include <gtest/gtest.h>

namespace blackstart {
namespace {

TEST(FormatUtc, WritesMillisecondsAlsoBeforeTheEpoch) {
  WallTime epoch;
  EXPECT_EQ(format_utc(epoch + std::chrono::milliseconds(1767323045006)),
            "2026-01-02T03:04:05.006Z");
  EXPECT_EQ(format_utc(epoch - std::chrono::milliseconds(1)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace blackstart
