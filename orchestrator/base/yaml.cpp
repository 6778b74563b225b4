#include "orchestrator/base/yaml.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <streambuf>

#include "orchestrator/base/yaml_builder.h"
#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {
namespace {

/// A stream over text that somebody else owns: no copy of a large manifest.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* start = const_cast<char*>(text.data());  // never written to
    setg(start, start, start + text.size());
  }
};

Place place_at(std::string_view text, size_t offset, const std::string* file) {
  std::string_view before = text.substr(0, offset);
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {file, static_cast<int>(line), static_cast<int>(offset - start) + 1};
}

std::string hint_for(const std::string& message, char at) {
  if (at == '@' || at == '`' || at == '%')
    return "a text that starts with this character needs quotes";
  if (at == '?') return "a text with '?' in it needs quotes inside { } and [ ]";
  if (message.find("anchor") != std::string::npos) return "define it before with &name";
  if (message.find("illegal map value") != std::string::npos) {
    return "a text with ': ' in it needs quotes; or a key is indented wrongly";
  }
  return "check the indentation, quotes and brackets here";
}

/// Is there a tab between the start of the line and `offset`, or at it?
bool is_indented_with_tab(std::string_view text, size_t offset) {
  std::string_view line = text.substr(text.rfind('\n', offset == 0 ? 0 : offset - 1) + 1);
  return line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

void report(const YAML::Exception& problem, std::string_view text, const std::string* file,
            Diagnostics& diagnostics) {
  Place place{file, std::max(problem.mark.line, 0) + 1, std::max(problem.mark.column, 0) + 1};
  size_t offset = std::min(static_cast<size_t>(std::max(problem.mark.pos, 0)), text.size());
  if (is_indented_with_tab(text, offset)) {
    diagnostics.error(place, "a tab stands where YAML needs spaces", "indent with spaces");
    return;
  }
  std::string hint = hint_for(problem.msg, offset < text.size() ? text[offset] : '\0');
  diagnostics.error(place, "not valid YAML: " + problem.msg, hint);
}

std::vector<Node> read_documents(std::string_view text, const std::string* file,
                                 const Limits& limits, Diagnostics& diagnostics) {
  TreeBuilder builder(text, file, limits, diagnostics);
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& problem) {
    report(problem, text, file, diagnostics);
  } catch (const LimitReached&) {
  }
  return builder.take_documents();
}

}  // namespace

std::vector<Node> parse(std::string_view text, std::string_view file, const Limits& limits,
                        Diagnostics& diagnostics) {
  const std::string* name = intern_file(file);
  if (text.size() > limits.bytes) {
    diagnostics.error({name, 0, 0}, "the file has " + std::to_string(text.size()) +
                                        " bytes, more than the " + std::to_string(limits.bytes) +
                                        " allowed");
    return {};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (auto bad = find_bad_byte(text)) {
    diagnostics.error(place_at(text, bad->offset, name), bad->message, bad->hint);
    return {};
  }
  if (!limits.expressions || text.find("${{") == std::string_view::npos) {
    return read_documents(text, name, limits, diagnostics);
  }
  std::string masked(text);
  mask_expressions(masked);
  return read_documents(masked, name, limits, diagnostics);
}

}  // namespace blackstart::yaml
