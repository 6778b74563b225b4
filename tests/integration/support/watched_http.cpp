#include "tests/integration/support/watched_http.h"

#include <algorithm>

namespace blackstart::test {

Task<HttpResponse> WatchedHttp::send(HttpRequest request) {
  Seen seen;
  seen.method = request.method;
  seen.url = request.url;
  try {
    HttpResponse response = co_await inner_.send(std::move(request));
    seen.status = response.status;
    seen_.push_back(std::move(seen));
    co_return response;
  } catch (...) {
    seen_.push_back(std::move(seen));
    throw;
  }
}

size_t WatchedHttp::failed(const std::string& method) const {
  return static_cast<size_t>(std::ranges::count_if(seen_, [&method](const Seen& one) {
    return one.method == method && (one.status == 0 || one.status >= 500);
  }));
}

World with_http(const World& world, Http& http) {
  return {world.clock, world.random,      world.processes, http,
          world.files, world.environment, world.blocking,  world.executor};
}

}  // namespace blackstart::test
