// What is checked or changed in the text before yaml-cpp sees it.
#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {
namespace {

/// Length of the UTF-8 sequence at the front of `text`, 0 when it is broken. Refuses overlong
/// forms, surrogates and code points past U+10FFFF.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto continued = [&](size_t count) {
    if (text.size() <= count) return false;
    for (size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continued(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continued(2)) return 0;
    bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    bool surrogate = lead == 0xED && byte(1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continued(3)) return 0;
    bool overlong = lead == 0xF0 && byte(1) < 0x90;
    bool too_large = lead == 0xF4 && byte(1) >= 0x90;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

std::string hex_byte(char byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", static_cast<unsigned char>(byte));
  return text.data();
}

BadByte control_character(std::string_view text, size_t offset) {
  if (text[offset] == '\0') {
    return {offset, "the file has a NUL byte",
            "this is no text file, or it is saved as UTF-16; save it as UTF-8"};
  }
  return {offset, "the file has the control character " + hex_byte(text[offset]),
          "remove it, or write it as an escape in a double-quoted text"};
}

// Each pair: what stands in the text, and what hides it. 0x04 is left out: yaml-cpp takes it as the
// end of the file.
constexpr std::array<std::pair<char, char>, 7> kMasks = {{{'{', '\x01'},
                                                          {'}', '\x02'},
                                                          {'[', '\x03'},
                                                          {']', '\x05'},
                                                          {',', '\x06'},
                                                          {':', '\x07'},
                                                          {'#', '\x0e'}}};

/// Offset just behind the "}}" that ends the expression whose inside starts at `start`, on one
/// line.
size_t expression_end(std::string_view text, size_t start) {
  bool in_text = false;
  for (size_t i = start; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\'') in_text = !in_text;
    if (!in_text && text[i] == '}' && i + 1 < text.size() && text[i + 1] == '}') return i + 2;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<BadByte> find_bad_byte(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return BadByte{0, "the file is UTF-16", "save it as UTF-8"};
  }
  for (size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    bool control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (control) return control_character(text, i);
    size_t length = utf8_length(text.substr(i, 4));
    if (length == 0) {
      return BadByte{i, "the byte " + hex_byte(text[i]) + " is not valid UTF-8",
                     "save the file as UTF-8"};
    }
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return control_character(text, i);
    i += length;
  }
  return std::nullopt;
}

void mask_expressions(std::string& text) {
  for (size_t start = text.find("${{"); start != std::string::npos;
       start = text.find("${{", start)) {
    size_t end = expression_end(text, start + 3);
    if (end == std::string::npos) {
      start += 3;
      continue;
    }
    for (size_t i = start; i < end; ++i) {
      for (auto [plain, hidden] : kMasks) {
        if (text[i] == plain) text[i] = hidden;
      }
    }
    start = end;
  }
}

void unmask_expressions(std::string& text) {
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) > 0x0e) continue;
    for (auto [plain, hidden] : kMasks) {
      if (byte == hidden) byte = plain;
    }
  }
}

}  // namespace blackstart::yaml
