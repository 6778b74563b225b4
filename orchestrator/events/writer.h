// Where a sink's text goes. Sinks open nothing themselves: the composition root hands them this.
#pragma once

#include <cstdio>
#include <functional>
#include <string_view>

namespace blackstart::events {

/// Takes whole lines, line break included, and passes them on at once. False = it could not.
using Writer = std::function<bool(std::string_view)>;

/// Writes to `stream` (not owned) and flushes after every call.
Writer writer_to(std::FILE* stream);

}  // namespace blackstart::events
