// Broken plans in small: each with every finding it must give, place and wording included.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/plan/plan_fixture.h"

namespace blackstart::plan {

struct BrokenPlan {
  const char* name;
  const char* spec;      // from line 5 of the file on
  const char* findings;  // one a line, hints in brackets
};

class BrokenPlans : public testing::TestWithParam<BrokenPlan> {};

inline std::string name_of(const testing::TestParamInfo<BrokenPlan>& info) {
  return info.param.name;
}

}  // namespace blackstart::plan
