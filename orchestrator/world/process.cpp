#include "orchestrator/world/process.h"

#include <algorithm>

namespace blackstart {
namespace {

bool needs_quotes(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  return word.empty() || word.find_first_not_of(kPlain) != std::string_view::npos;
}

std::string quoted(std::string_view word) {
  if (!needs_quotes(word)) return std::string(word);
  std::string text = "'";
  for (char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  return text + "'";
}

}  // namespace

std::string Command::display() const {
  std::string text = quoted(program);
  for (const std::string& arg : args) text += " " + quoted(arg);
  return text;
}

std::string Exit::describe() const {
  return signal != 0 ? "killed by signal " + std::to_string(signal)
                     : "exit code " + std::to_string(code);
}

std::vector<std::string> Exit::last_lines(size_t count) const {
  std::vector<std::string> lines;
  std::string_view rest = trim(trim(err).empty() ? out : err);
  while (!rest.empty() && lines.size() < count) {
    size_t start = rest.find_last_of('\n');
    std::string_view line = start == std::string_view::npos ? rest : rest.substr(start + 1);
    if (!trim(line).empty())
      lines.emplace_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    rest = start == std::string_view::npos ? std::string_view() : rest.substr(0, start);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace blackstart
