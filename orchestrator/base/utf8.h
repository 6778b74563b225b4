// Characters of UTF-8 text: what columns count.
#pragma once

#include <algorithm>
#include <string_view>

namespace blackstart {

/// Does a character start with this byte?
constexpr bool is_character_start(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

constexpr size_t character_count(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, is_character_start));
}

}  // namespace blackstart
