// How findings look on stderr before there is an event stream.
#pragma once

#include <string>

#include "orchestrator/base/error.h"

namespace blackstart::cli {

/// "error: summary" with place, causes and hint, a line each. The place is shown as seen from
/// `folder`.
std::string text_of(const Error& error, const std::string& folder);
void say_error(const Error& error, const std::string& folder);

/// "plan.yaml:3:5: error: message" and the hint, indented; all places as seen from `folder`.
std::string text_of(const Diagnostic& diagnostic, const std::string& folder);

}  // namespace blackstart::cli
