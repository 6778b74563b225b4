#include "orchestrator/world/failpoint.h"

#ifdef BLACKSTART_FAILPOINTS

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>

#include "orchestrator/base/error.h"
#include "orchestrator/world/descriptor.h"

namespace blackstart::failpoints {
namespace {

std::function<Task<void>(std::string_view)>& handler() {
  static std::function<Task<void>(std::string_view)> installed;
  return installed;
}

// One write of one line: it is whole or not there, whenever we die.
void append_line(const char* file, const std::string& line) {
  real::Descriptor opened(::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (::write(opened.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw Error(ErrorClass::kBug, std::string("cannot count failpoints in ") + file);
}

void count_or_die(std::string_view name) {
  static const char* const count_file = std::getenv("BLACKSTART_FAILPOINT_COUNT");
  static const char* const kill_at = std::getenv("BLACKSTART_FAILPOINT_KILL");
  static long passed = 0;
  static std::map<std::string, long> passed_by_name;
  const std::string number = std::to_string(++passed);
  const std::string named =
      std::string(name) + "#" + std::to_string(++passed_by_name[std::string(name)]);
  if (count_file != nullptr) append_line(count_file, number + " " + std::string(name) + "\n");
  if (kill_at != nullptr && (number == kill_at || named == kill_at)) ::kill(::getpid(), SIGKILL);
}

}  // namespace

Task<void> hit(std::string_view name) {
  if (handler()) {
    co_await handler()(name);
  } else {
    count_or_die(name);
  }
}

void set_handler(std::function<Task<void>(std::string_view)> installed) {
  handler() = std::move(installed);
}

}  // namespace blackstart::failpoints

#endif
