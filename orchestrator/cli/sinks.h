// Where a command's events go, and how it asks.
#pragma once

#include <string>

#include "orchestrator/cli/program.h"
#include "orchestrator/events/bus.h"
#include "orchestrator/journal/journal.h"
#include "orchestrator/plan/plan.h"

namespace blackstart::cli {

/// The plain log on stderr (only findings for commands that print data), NDJSON for --events, the
/// debug log, and the journal when there is one to write to (it must outlive the bus).
void add_sinks(events::Bus& bus, const Program& program, const plan::Plan& plan,
               journal::Journal* journal);

/// Makes every text in `value` known as a secret.
void redact_all(events::Redactor& redactor, const plan::Value& value);

/// Asks for "yes". Throws Error(kUsage) when nobody can be asked: --no-input, or stdin is no
/// terminal.
Task<bool> ask_on_terminal(Program& program, std::string question);

}  // namespace blackstart::cli
