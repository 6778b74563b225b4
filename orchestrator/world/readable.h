// Waiting for a descriptor to have something to say.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include "orchestrator/world/task.h"

namespace blackstart::real {

/// Something can be read without waiting, be it the end. A process' handle (pidfd) is readable when
/// the process has ended.
bool is_readable(int descriptor);

/// Waits for that; false when it was cancelled. Asio alone may wake one descriptor by what happened
/// to another one that was closed in the same turn of the loop.
Task<bool> until_readable(boost::asio::posix::stream_descriptor& descriptor);

}  // namespace blackstart::real
