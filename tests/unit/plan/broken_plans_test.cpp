#include "tests/unit/plan/broken_plans.h"

namespace blackstart::plan {
namespace {

TEST_P(BrokenPlans, AreReportedToTheColumn) {
  PlanFixture fixture(plan_with(GetParam().spec));
  bool loaded = fixture.load().has_value();
  EXPECT_EQ("\n" + fixture.findings(), GetParam().findings);
  EXPECT_EQ(loaded, !fixture.diagnostics.has_errors());
}

}  // namespace
}  // namespace blackstart::plan
