#include "orchestrator/cli/exit_code.h"

#include <gtest/gtest.h>

namespace blackstart::cli {
namespace {

/// The end of a run whose one stage failed.
bool may_go_on_after(ErrorClass failure) {
  plan::Plan plan;
  plan.stages.push_back({.name = "only"});
  engine::Graph graph(plan);
  engine::RunResult result;
  result.stages.resize(1);
  result.stages[0].state = engine::StageState::kFailed;
  result.stages[0].failure = Error(failure, "it failed");
  return may_go_on(result, graph, exit_code(result, graph));
}

TEST(MayGoOn, NotWhereTheSameCommandMustFailAgain) {
  for (ErrorClass failure :
       {ErrorClass::kUsage, ErrorClass::kAuthentication, ErrorClass::kConflict, ErrorClass::kBug})
    EXPECT_FALSE(may_go_on_after(failure)) << to_string(failure);
}

TEST(MayGoOn, WhereTimeOrAHandMayHaveMendedIt) {
  for (ErrorClass failure :
       {ErrorClass::kTransient, ErrorClass::kThrottled, ErrorClass::kUnreachable,
        ErrorClass::kPermanent, ErrorClass::kDeadline, ErrorClass::kVerification})
    EXPECT_TRUE(may_go_on_after(failure)) << to_string(failure);
}

}  // namespace
}  // namespace blackstart::cli
