#include "orchestrator/world/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "orchestrator/base/error.h"
#include "orchestrator/world/launch.h"
#include "orchestrator/world/readable.h"

namespace blackstart::real {

namespace asio = boost::asio;

void Tail::append(std::string_view data) {
  kept_.append(data);
  if (kept_.size() > 2 * limit_) shorten();
}

void Tail::shorten() {
  if (kept_.size() <= limit_) return;
  kept_.erase(0, kept_.size() - limit_);
  truncated_ = true;
}

std::string Tail::take() {
  shorten();
  return std::move(kept_);
}

namespace {

struct Ends {
  Descriptor read;
  Descriptor write;
};

Ends make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(ErrorClass::kPermanent, "cannot make a pipe").because(std::strerror(errno));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor open_null() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Child::Child(asio::io_context& loop, Command command, std::shared_ptr<GroupGuard> guard)
    : loop_(loop),
      command_(std::move(command)),
      guard_(std::move(guard)),
      stdin_(loop),
      stdout_(loop),
      stderr_(loop),
      pidfd_(loop),
      out_(command_.output_limit),
      err_(command_.output_limit) {
  Ends in = command_.input ? make_pipe() : Ends{open_null(), {}};
  Ends out = make_pipe();
  Ends err = make_pipe();
  ChildSettings settings{.stdin_fd = in.read.get(),
                         .stdout_fd = out.write.get(),
                         .stderr_fd = err.write.get(),
                         .dies_with_us = guard_.get()};
  Launched launched = launch(loop, command_, settings);
  pid_ = launched.pid;
  if (in.write) stdin_.assign(in.write.release());
  stdout_.assign(out.read.release());
  stderr_.assign(err.read.release());
  pidfd_.assign(launched.pidfd.release());
}

Child::~Child() {
  if (pid_ == 0) return;
  signal_group(SIGKILL);
  reap();
}

// Off the guard's list first: once the process is reaped its number may be anybody's. Who is left
// of a group whose leader ended by itself stays alive, as it does when we live on.
int Child::reap() {
  guard_->remove(pid_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

void Child::signal_group(int signal) {
  if (pid_ != 0) ::kill(-pid_, signal);
}

Task<void> Child::wait_for_exit() {
  co_await throw_if_cancelled();
  bool ended = co_await until_readable(pidfd_);
  if (!ended) throw Error(ErrorClass::kCancelled, "cancelled");
}

Task<void> Child::pump() {
  TaskGroup pumps(loop_.get_executor());
  pumps.spawn(read(stdout_, Stream::kStdout, out_));
  pumps.spawn(read(stderr_, Stream::kStderr, err_));
  if (command_.input) pumps.spawn(feed());
  co_await pumps.join();
}

Task<void> Child::read(Pipe& pipe, Stream stream, Tail& tail) {
  LineSplitter lines([this, stream](std::string_view line) {
    if (command_.on_line) command_.on_line(stream, line);
  });
  std::vector<char> buffer(32 * 1024);
  while (true) {
    auto [error, count] =
        co_await pipe.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    std::string_view data(buffer.data(), count);
    tail.append(data);
    lines.feed(data);
    if (error) break;  // the end, or cancelled: what came is kept
  }
  lines.finish();
  pipe.close();
}

Task<void> Child::feed() {
  // A program may end without reading all its input: its exit code says whether that was wrong.
  co_await asio::async_write(stdin_, asio::buffer(*command_.input),
                             asio::as_tuple(asio::use_awaitable));
  stdin_.close();
}

Exit Child::finish() {
  int status = reap();
  Exit result;
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  result.out = out_.take();
  result.err = err_.take();
  result.truncated = out_.truncated() || err_.truncated();
  return result;
}

}  // namespace blackstart::real
