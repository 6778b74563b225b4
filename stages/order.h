// Which stages of a plan come before one, for what it needs to find in the cluster when it comes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/plan/plan.h"

namespace blackstart::stages {

/// The plan's stages of type `uses`: all of them, and those that are done before `stage` begins.
struct Others {
  std::vector<const plan::Stage*> all;
  std::vector<const plan::Stage*> before;
};
Others stages_of_type(const plan::Plan& plan, const plan::Stage& stage, std::string_view uses);

/// What an option of another stage says, when that is written as a plain text; empty else.
std::string written_option(const plan::Stage& stage, std::string_view name);

}  // namespace blackstart::stages
