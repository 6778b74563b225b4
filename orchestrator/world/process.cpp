#include "orchestrator/world/process.h"

#include <algorithm>

#include "orchestrator/base/shell.h"

namespace blackstart {

std::string Command::display() const {
  std::string text = shell_word(program);
  for (const std::string& arg : args) text += " " + shell_word(arg);
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
