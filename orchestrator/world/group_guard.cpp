#include "orchestrator/world/group_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace blackstart::real {
namespace {

// Without "blackstart" in it: who kills us by that name must not kill the guard along.
constexpr char kName[] = "group-guard";
// More at a time than anybody runs; those beyond are killed without what they started.
constexpr size_t kGroups = 1024;

// A message is a group's number to add it, or that number negative to remove it.
using Message = int;

// The guard's own part. It is forked from a program with threads: system calls only, no memory is
// taken and no lock.

struct Groups {
  std::array<int, kGroups> numbers;
  size_t count = 0;

  void take(Message message) {
    if (message > 0 && count < kGroups) numbers[count++] = message;
    if (message > 0) return;
    for (size_t i = 0; i < count; ++i) {
      if (numbers[i] != -message) continue;
      numbers[i] = numbers[--count];
      return;
    }
  }
};

// The command line and the environment, which stay readable in /proc, are those of its parent.
void take_another_name() {
  ::prctl(PR_SET_NAME, kName);
  char* first = program_invocation_name;  // argv[0]; behind it the rest, the environment, and this:
  auto* last = reinterpret_cast<char*>(::getauxval(AT_EXECFN));
  if (last == nullptr || last - first < static_cast<ptrdiff_t>(sizeof(kName))) return;
  std::memset(first, 0, static_cast<size_t>(last - first));
  std::memcpy(first, kName, sizeof(kName));
}

// Nothing of ours stays open in it: no lock, no terminal, no pipe whose end somebody waits for,
// and no other guard's.
void leave_everything_but(int pipe) {
  ::setsid();
  ::dup2(pipe, STDIN_FILENO);
  ::syscall(SYS_close_range, 1, ~0U, 0);
  take_another_name();
}

bool read_message(Message& message) {
  ssize_t count = 0;
  do {
    count = ::read(STDIN_FILENO, &message, sizeof(message));
  } while (count < 0 && errno == EINTR);
  return count == sizeof(message);
}

[[noreturn]] void guard(int pipe) {
  leave_everything_but(pipe);
  Groups groups;
  for (Message message = 0; read_message(message);) groups.take(message);
  for (size_t i = 0; i < groups.count; ++i) ::kill(-groups.numbers[i], SIGKILL);
  ::_exit(0);
}

// With all signals blocked, which the guard keeps: Ctrl-C is for us, and our handlers would run
// in it.
int fork_guard(int pipe) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pid = ::fork();
  if (pid == 0) guard(pipe);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return std::max(pid, 0);
}

// Never waits: with a guard that does not read (somebody stopped it) we go on.
bool send(const Descriptor& list, Message message) {
  return ::write(list.get(), &message, sizeof(message)) == sizeof(message);
}

}  // namespace

GroupGuard::GroupGuard() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  Descriptor read(ends[0]);
  list_ = Descriptor(ends[1]);
  ::fcntl(list_.get(), F_SETFL, O_NONBLOCK);
  pid_ = fork_guard(read.get());
}

GroupGuard::~GroupGuard() { end(); }

// Killed, not left to see the end of its pipe: a process forked from us may still hold that open.
void GroupGuard::end() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

void GroupGuard::add(int group) const {
  if (pid_ != 0) send(list_, group);
}

void GroupGuard::remove(int group) {
  // A guard that was not told would one day kill whoever has the number then.
  if (pid_ != 0 && !send(list_, -group)) end();
}

}  // namespace blackstart::real
