// libyaml's errors in our words: what is wrong, where exactly, what to do.
#include <algorithm>
#include <array>
#include <cstdio>

#include "orchestrator/base/utf8.h"
#include "orchestrator/base/yaml_events.h"

namespace blackstart::yaml {
namespace {

struct Explanation {
  std::string_view problem;  // libyaml's
  std::string_view message;
  std::string_view hint;
  /// What is meant begins where libyaml says that its context does.
  bool at_context = false;
  /// What the context is, when the place where it begins helps to find the mistake.
  std::string_view context = {};
};

constexpr std::string_view kLook = "check the indentation, quotes and brackets";

constexpr Explanation kExplanations[] = {
    {"could not find expected ':'", "this is no key: ':' is missing",
     "check the indentation, or add ': '", true},
    {"found unexpected end of stream", "the quote that opens here is never closed", "", true},
    {"found unexpected document indicator", "the quote that opens here is never closed",
     "'---' and '...' at the start of a line end a document", true},
    {"found unknown escape character", "this is no escape that a double-quoted text can have",
     "write \\\\ for a backslash, or use single quotes"},
    {"mapping values are not allowed in this context", "':' cannot stand here",
     "a text with ': ' in it needs quotes; or a key is indented wrongly"},
    {"mapping keys are not allowed in this context", "a key cannot start here", kLook},
    {"block sequence entries are not allowed in this context", "a list item cannot start here",
     "start the list on a line of its own"},
    {"found unexpected ':'", "':' cannot stand here",
     "put a space after it, or quotes around the text"},
    {"did not find expected <document start>", "this does not belong to the document above",
     "check the indentation and the brackets; a new document starts with ---"},
    {"did not find expected node content", "a value is missing here", kLook},
    {"did not find expected key", "a key is missing here", kLook, false, "map"},
    {"did not find expected '-' indicator", "'- ' is missing here", kLook, false, "list"},
    {"did not find expected ',' or ']'", "',' or ']' is missing here", kLook, false, "list"},
    {"did not find expected ',' or '}'", "',' or '}' is missing here", kLook, false, "map"},
};

std::string text_of(const char* words) { return words == nullptr ? "" : words; }

/// The character with this number, as its first byte; NUL past the end.
char character_at(std::string_view text, size_t index) {
  size_t offset = 0;
  for (size_t left = index + 1; offset < text.size(); ++offset) {
    if (is_character_start(text[offset]) && --left == 0) break;
  }
  return offset < text.size() ? text[offset] : '\0';
}

std::string hex(int value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", static_cast<unsigned>(value));
  return text.data();
}

/// A byte that no YAML text may have: a control character, broken UTF-8.
Diagnostic bad_byte(const yaml_parser_t& parser, std::string_view text, const std::string* file) {
  std::string_view before = text.substr(0, parser.problem_offset);
  std::string_view line = before.substr(before.rfind('\n') + 1);
  Place place{file, 1 + static_cast<int>(std::ranges::count(before, '\n')),
              1 + static_cast<int>(character_count(line))};
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return {Severity::kError, place, "the file is UTF-16", "save it as UTF-8"};
  bool control = text_of(parser.problem) == "control characters are not allowed";
  if (!control) {
    int byte = static_cast<unsigned char>(text[parser.problem_offset]);
    return {Severity::kError, place, "the byte " + hex(byte) + " is not valid UTF-8",
            "save the file as UTF-8"};
  }
  if (parser.problem_value == 0) {
    return {Severity::kError, place, "the file has a NUL byte",
            "this is no text file, or it is saved as UTF-16; save it as UTF-8"};
  }
  return {Severity::kError, place,
          "the file has the control character " + hex(parser.problem_value),
          "remove it, or write it as an escape in a double-quoted text"};
}

Diagnostic finding(const Explanation& known, const yaml_parser_t& parser, const std::string* file) {
  Place context = place_of(parser.context_mark, file);
  std::string hint(known.hint);
  if (!known.context.empty()) {
    hint = "the " + std::string(known.context) + " begins at " + context.to_string() + "; " + hint;
  }
  Place place = known.at_context ? context : place_of(parser.problem_mark, file);
  return {Severity::kError, place, std::string(known.message), std::move(hint), context};
}

Diagnostic explained(const yaml_parser_t& parser, std::string_view text, const std::string* file) {
  std::string problem = text_of(parser.problem);
  Place place = place_of(parser.problem_mark, file);
  char at = character_at(text, parser.problem_mark.index);
  if (at == '\t')
    return {Severity::kError, place, "a tab stands where YAML needs spaces", "indent with spaces"};
  for (const Explanation& known : kExplanations) {
    if (problem == known.problem) return finding(known, parser, file);
  }
  // An anchor, alias, tag, directive or block that is none: mostly a text that wants quotes.
  if (parser.context != nullptr && problem != "found character that cannot start any token") {
    at = character_at(text, parser.context_mark.index);
    place = place_of(parser.context_mark, file);
  }
  if (std::string_view("*&!%|>@`").find(at) != std::string_view::npos) {
    return {Severity::kError, place, std::string("a text cannot start with '") + at + "'",
            "put it in quotes"};
  }
  return {Severity::kError, place, "not valid YAML: " + problem, std::string(kLook)};
}

}  // namespace

void EventReader::report_error(const std::string* file, Diagnostics& diagnostics) const {
  if (parser_.error == YAML_NO_ERROR) return;
  Diagnostic found = parser_.error == YAML_READER_ERROR ? bad_byte(parser_, text_, file)
                                                        : explained(parser_, text_, file);
  diagnostics.error(found.place, std::move(found.message), std::move(found.hint), found.other);
}

}  // namespace blackstart::yaml
