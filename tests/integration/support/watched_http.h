// HTTP that remembers what was asked: how often, and with what outcome.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/world/world.h"

namespace blackstart::test {

/// Passes requests on. `inner` is not owned.
class WatchedHttp final : public Http {
 public:
  struct Seen {
    std::string method, url;
    int status = 0;  // 0: no answer came
  };
  explicit WatchedHttp(Http& inner) : inner_(inner) {}
  Task<HttpResponse> send(HttpRequest request) override;

  /// In the order of their ends.
  const std::vector<Seen>& seen() const { return seen_; }
  /// Those of `method` that got no answer, or one that says the server could not.
  size_t failed(const std::string& method) const;

 private:
  Http& inner_;
  std::vector<Seen> seen_;
};

/// The same world, whose requests `http` sends.
World with_http(const World& world, Http& http);

}  // namespace blackstart::test
