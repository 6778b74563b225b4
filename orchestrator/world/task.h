// The coroutine type of everything that waits.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace blackstart {

/// A lazy coroutine on the program's one event loop. Take parameters by value: a reference can
/// outlive its owner at the first suspension. Cancelling a task makes its innermost wait throw
/// Error(kCancelled); destructors then clean up.
template <class T>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

}  // namespace blackstart
