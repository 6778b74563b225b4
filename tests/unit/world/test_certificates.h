// Certificates made on the spot, good and bad ones.
#pragma once

#include <chrono>
#include <string>

namespace blackstart::test {

/// In PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

Certificate make_ca(const std::string& name);

struct Leaf {
  std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName
  std::chrono::seconds not_before{-3600};            // from now
  std::chrono::seconds not_after{3600};
};

/// Usable for servers and clients.
Certificate make_leaf(const Certificate& ca, const Leaf& leaf = {});

}  // namespace blackstart::test
