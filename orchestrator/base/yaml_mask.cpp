// ${{ … }} as opaque text: what it holds means nothing to YAML, in flow collections either.
#include <algorithm>

#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {
namespace {

// What means something in a plain scalar. Each character is hidden behind one of U+FDD0…U+FDEF,
// which Unicode keeps out of all texts for a program's own use: one character for one, so that all
// marks stay right.
constexpr std::string_view kPlain = "{}[],:#?";
constexpr std::string_view kHiddenLead = "\xEF\xB7";
constexpr size_t kHiddenSize = 3;
constexpr unsigned char kHiddenFirst = 0x90;

void append_hidden(std::string& masked, char c) {
  size_t index = kPlain.find(c);
  if (index == std::string_view::npos) {
    masked += c;
    return;
  }
  masked += kHiddenLead;
  masked += static_cast<char>(kHiddenFirst + index);
}

/// Which character the text at its front hides; NUL when none.
char revealed(std::string_view text) {
  if (text.size() < kHiddenSize || !text.starts_with(kHiddenLead)) return '\0';
  size_t index = static_cast<unsigned char>(text[kHiddenLead.size()]) - size_t{kHiddenFirst};
  return index < kPlain.size() ? kPlain[index] : '\0';
}

/// Offset just behind the "}}" that ends the expression which opens at `open`; npos when none does.
size_t expression_end(std::string_view line, size_t open) {
  bool in_text = false;
  for (size_t i = open + 3; i + 1 < line.size(); ++i) {
    if (line[i] == '\'') in_text = !in_text;
    if (!in_text && line[i] == '}' && line[i + 1] == '}') return i + 2;
  }
  return std::string_view::npos;
}

void append_masked(std::string& masked, std::string_view line) {
  size_t next = 0;
  while (next < line.size()) {
    size_t open = line.find("${{", next);
    size_t end = open == std::string_view::npos ? open : expression_end(line, open);
    if (end == std::string_view::npos) break;
    masked += line.substr(next, open - next);
    for (char c : line.substr(open, end - open)) append_hidden(masked, c);
    next = end;
  }
  masked += line.substr(next);
}

}  // namespace

std::string mask_expressions(std::string_view text) {
  std::string masked;
  masked.reserve(text.size() + text.size() / 4);
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size() - 1) + 1;
    append_masked(masked, text.substr(start, end - start));
    start = end;
  }
  return masked;
}

void unmask_expressions(std::string& text) {
  size_t hidden = text.find(kHiddenLead);
  if (hidden == std::string::npos) return;
  std::string plain = text.substr(0, hidden);
  for (size_t i = hidden; i < text.size();) {
    char c = revealed(std::string_view(text).substr(i));
    plain += c == '\0' ? text[i] : c;
    i += c == '\0' ? 1 : kHiddenSize;
  }
  text = std::move(plain);
}

}  // namespace blackstart::yaml
