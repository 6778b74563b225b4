// Columns on a terminal.
#pragma once

#include <algorithm>
#include <string>

namespace blackstart::cli {

/// `text` with blanks behind it, at least `width` bytes in all.
inline std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace blackstart::cli
