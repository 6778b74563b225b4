#include "orchestrator/world/terminal.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <system_error>

#include "orchestrator/world/async.h"
#include "orchestrator/world/descriptor.h"
#include "orchestrator/world/readable.h"

namespace blackstart {
namespace {

namespace asio = boost::asio;

Error unreadable(int reason) {
  return Error(ErrorClass::kPermanent, "the terminal cannot be read")
      .because(std::generic_category().message(reason));
}

/// Becomes readable with stdin. Asio makes what it waits for non-blocking: stdin itself shares that
/// mode with stderr and with the shell.
real::Descriptor watch_stdin() {
  real::Descriptor watch(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  if (!watch || ::epoll_ctl(watch.get(), EPOLL_CTL_ADD, STDIN_FILENO, &wanted) != 0)
    throw unreadable(errno);
  return watch;
}

}  // namespace

Task<std::string> read_typed_line() {
  co_await throw_if_cancelled();
  auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor input(executor, watch_stdin().release());
  bool typed = co_await real::until_readable(input);
  if (!typed) throw Error(ErrorClass::kCancelled, "cancelled");
  std::array<char, 4096> line;  // the most that a terminal hands out as one line
  ssize_t length = ::read(STDIN_FILENO, line.data(), line.size());
  if (length < 0) throw unreadable(errno);
  co_return std::string(line.data(), static_cast<size_t>(length));
}

}  // namespace blackstart
