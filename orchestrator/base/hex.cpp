#include "orchestrator/base/hex.h"

namespace blackstart {

std::string hex(std::string_view bytes, std::string_view digits) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace blackstart
