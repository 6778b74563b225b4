// Bytes as text.
#pragma once

#include <string>
#include <string_view>

namespace blackstart {

/// Two of the sixteen `digits` for each byte.
std::string hex(std::string_view bytes, std::string_view digits = "0123456789abcdef");

}  // namespace blackstart
