#include "orchestrator/world/proc_stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>

#include "orchestrator/base/text.h"
#include "orchestrator/world/descriptor.h"

namespace blackstart::real {
namespace {

template <class T>
bool read_number(const std::string& text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<ProcStat> read_proc_stat(int pid) {
  if (pid <= 0) return std::nullopt;
  Descriptor file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[4096];
  ssize_t length = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (length <= 0) return std::nullopt;
  std::string_view text(buffer, static_cast<size_t>(length));
  size_t name_end = text.rfind(')');  // the name may hold anything, ')' and spaces too
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  std::vector<std::string> fields = split(text.substr(name_end + 2), ' ');  // from field 3 on
  ProcStat stat;
  stat.pid = pid;
  if (fields.size() < 20 || fields[0].size() != 1) return std::nullopt;
  stat.state = fields[0][0];
  bool complete = read_number(fields[2], stat.group) && read_number(fields[3], stat.session) &&
                  read_number(fields[19], stat.start_time);
  return complete ? std::optional(stat) : std::nullopt;
}

std::vector<ProcStat> session_members(int session) {
  std::vector<ProcStat> members;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    int pid = 0;
    if (!read_number(entry->path().filename().string(), pid)) continue;
    auto stat = read_proc_stat(pid);
    if (stat && stat->session == session && !stat->ended()) members.push_back(*stat);
  }
  return members;
}

}  // namespace blackstart::real
