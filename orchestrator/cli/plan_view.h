// What `plan` and `status` print, for people and for programs.
#pragma once

#include <string>

#include "orchestrator/engine/session.h"

namespace blackstart::cli {

/// Every stage with its actions to full depth, then one line that counts.
std::string plan_text(const engine::Session& session, const engine::RunResult& result);
/// Every stage: holds or not, and why; `verbose`: with the events and last log lines below that.
std::string status_text(const engine::Session& session, const engine::RunResult& result,
                        bool verbose);
/// Both as JSON: {"schema":"blackstart.preview/1","plan":…,"environment":…,"stages":[…]}.
std::string preview_json(const engine::Session& session, const engine::RunResult& result);

}  // namespace blackstart::cli
