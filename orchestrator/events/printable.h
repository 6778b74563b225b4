// Makes text from tools harmless to terminals, log files and JSON.
#pragma once

#include <string>
#include <string_view>

namespace blackstart::events {

/// The size of the control character or terminal escape sequence that `text` starts with; 0 when it
/// starts with neither. Line breaks and tabs are not counted as control characters.
size_t control_size(std::string_view text);

/// The text as valid UTF-8 (what is not becomes U+FFFD) without control characters and terminal
/// escapes, cut at `limit` bytes with a note of how much is missing. Line breaks stay; tabs and
/// carriage returns become spaces.
std::string printable(std::string_view text, size_t limit);

}  // namespace blackstart::events
