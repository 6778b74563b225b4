// What the kernel says of a process in /proc/PID/stat.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace blackstart::real {

struct ProcStat {
  int pid = 0;
  char state = '?';  // 'Z' and 'X' have ended
  int group = 0;
  int session = 0;
  uint64_t start_time = 0;  // clock ticks since boot

  bool ended() const { return state == 'Z' || state == 'X'; }
};

/// nullopt when there is no such process.
std::optional<ProcStat> read_proc_stat(int pid);
/// All processes of a session that have not ended.
std::vector<ProcStat> session_members(int session);

}  // namespace blackstart::real
