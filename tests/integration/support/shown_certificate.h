// What a TLS server shows to whom it does not know.
#pragma once

#include <string>

namespace blackstart::test {

/// The certificate that the server on this machine's `port` shows, in PEM; empty while there is
/// none.
std::string shown_certificate(int port);

}  // namespace blackstart::test
