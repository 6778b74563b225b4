#include "orchestrator/events/printable.h"

#include <algorithm>

namespace blackstart::events {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view text, size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// ESC ] … BEL and its relatives (OSC, DCS, SOS, PM, APC) end with BEL or ESC \. One without an end
/// loses its introducer only, so that nothing can hide the rest of a line.
size_t string_sequence_size(std::string_view text) {
  for (size_t i = 2; i < text.size(); ++i) {
    if (text[i] == '\x07') return i + 1;
    if (text[i] == '\x1B' && byte_at(text, i + 1) == '\\') return i + 2;
  }
  return 2;
}

/// ESC [ parameters final.
size_t csi_size(std::string_view text) {
  size_t end = 2;
  while (byte_at(text, end) >= 0x20 && byte_at(text, end) <= 0x3F) ++end;
  return byte_at(text, end) >= 0x40 && byte_at(text, end) <= 0x7E ? end + 1 : end;
}

size_t escape_size(std::string_view text) {
  switch (byte_at(text, 1)) {
    case '[': return csi_size(text);
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_': return string_sequence_size(text);
    default: break;
  }
  size_t end = 1;
  while (byte_at(text, end) >= 0x20 && byte_at(text, end) <= 0x2F) ++end;
  return byte_at(text, end) >= 0x30 && byte_at(text, end) <= 0x7E ? end + 1 : end;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// The size of the valid UTF-8 character that `text` starts with; 0 when it starts with none.
size_t utf8_size(std::string_view text) {
  unsigned char first = byte_at(text, 0);
  if (first < 0x80) return 1;
  size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if (!is_continuation(byte_at(text, i))) return 0;
  }
  unsigned char second = byte_at(text, 1);
  bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  bool surrogate = first == 0xED && second > 0x9F;
  bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : size;
}

/// Most text is: it comes out as it goes in.
bool is_plain(char c) { return (c >= ' ' && c <= '~') || c == '\n'; }

std::string cut(std::string text, size_t limit) {
  if (text.size() <= limit) return text;
  size_t end = limit;
  while (end > 0 && is_continuation(static_cast<unsigned char>(text[end]))) --end;
  size_t missing = text.size() - end;
  text.resize(end);
  return text + " … (" + std::to_string(missing) + " bytes cut)";
}

}  // namespace

size_t control_size(std::string_view text) {
  unsigned char first = byte_at(text, 0);
  if (text.empty() || first == '\n' || first == '\r' || first == '\t') return 0;
  if (first == 0x1B) return escape_size(text);
  if (first < 0x20 || first == 0x7F) return 1;
  bool c1 = first == 0xC2 && byte_at(text, 1) >= 0x80 && byte_at(text, 1) <= 0x9F;
  return c1 ? 2 : 0;
}

std::string printable(std::string_view text, size_t limit) {
  if (std::ranges::all_of(text, is_plain)) return cut(std::string(text), limit);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    size_t skipped = control_size(text);
    if (skipped > 0) {
      text.remove_prefix(skipped);
      continue;
    }
    size_t size = utf8_size(text);
    bool blank = text[0] == '\t' || text[0] == '\r';
    result += size == 0 ? kReplacement : blank ? std::string_view(" ") : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return cut(std::move(result), limit);
}

}  // namespace blackstart::events
