// The Kubernetes API over HTTP, before an ApiStore: what our client asks of a real one.
#pragma once

#include <memory>

#include "orchestrator/world/async.h"
#include "orchestrator/world/http.h"
#include "tests/simulation/outside/api_store.h"

namespace blackstart::sim {

class ApiServer : public std::enable_shared_from_this<ApiServer> {
 public:
  ApiServer(SimClock& clock, std::string identity);

  /// The effect of a request is there at once, its answer after a moment: whoever dies in between
  /// has done it all the same.
  static Task<HttpResponse> send(std::shared_ptr<ApiServer> self, HttpRequest request);

  ApiStore& store() { return store_; }
  bool ready = false;
  /// The process is gone: open watches break off.
  void shut_down();
  /// All open watches break off, as when a load balancer restarts.
  void drop_watches();
  size_t watches() const { return watches_; }
  /// Watches that were ended because what they had seen is forgotten.
  size_t expirations() const { return expirations_; }
  std::vector<std::string> refusals() const { return refusals_; }

 private:
  struct Target {
    const ServedKind* kind = nullptr;
    std::string name_space;
    std::string name;
    std::string rest;  // a subresource
  };
  struct Query;
  HttpResponse answer(const HttpRequest& request, const std::string& path, const Query& query);
  HttpResponse discovery(bool core) const;
  std::optional<Target> target_of(const std::string& path) const;
  HttpResponse read(const Target& target, const Query& query) const;
  HttpResponse write(const HttpRequest& request, const Target& target, const Query& query);
  HttpResponse remove(const HttpRequest& request, const kube::ObjectRef& ref);
  static Task<HttpResponse> watch(std::shared_ptr<ApiServer> self, HttpRequest request,
                                  std::string path, std::string query);
  Task<void> news(Instant until);
  void wake();

  SimClock& clock_;
  ApiStore store_;
  std::vector<std::weak_ptr<Event>> waiting_;
  uint64_t connections_ = 0;  // watches of an older number have been dropped
  size_t watches_ = 0;
  size_t expirations_ = 0;
  bool down_ = false;
  std::vector<std::string> refusals_;
};

}  // namespace blackstart::sim
