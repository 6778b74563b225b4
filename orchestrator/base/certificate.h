// The little that has to be known of a certificate before it is used.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace blackstart {

struct Validity {
  std::chrono::system_clock::time_point from, until;
};

/// Of the first certificate in a PEM text; nullopt when there is none that can be read.
std::optional<Validity> validity_of(const std::string& pem);

/// Is `key` the private key of the first certificate in `certificate`? Both PEM. While a pair of
/// files is being replaced it is not.
bool belong_together(const std::string& certificate, const std::string& key);

}  // namespace blackstart
