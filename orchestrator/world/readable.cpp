#include "orchestrator/world/readable.h"

#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace blackstart::real {

namespace asio = boost::asio;

bool is_readable(int descriptor) {
  pollfd poll{descriptor, POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

Task<bool> until_readable(asio::posix::stream_descriptor& descriptor) {
  while (!is_readable(descriptor.native_handle())) {
    auto [error] = co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                                  asio::as_tuple(asio::use_awaitable));
    if (error) co_return false;
  }
  co_return true;
}

}  // namespace blackstart::real
