// What the fault server talks on one connection, once the TLS handshake is done.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <functional>

#include "tests/unit/faults/fault_server.h"

namespace blackstart::faults {

using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
using Serve = std::function<Task<void>(Exchange&)>;

/// Hands the requests to `serve`, one after the other, until the connection is closed; throws when
/// the client closes it.
Task<void> talk_http1(TlsStream& stream, Clock& clock, Serve serve);
/// Hands the requests to `serve`, side by side, until the connection has ended, however it ends.
Task<void> talk_http2(TlsStream& stream, Clock& clock, Serve serve);

/// At once, with RST.
void reset(TlsStream& stream);

}  // namespace blackstart::faults
