// Which kinds the API server serves, and where.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/requester.h"
#include "orchestrator/world/async.h"

namespace blackstart::kube {

/// Asks once and remembers; asks again when a kind is unknown. Concurrent callers share one
/// request.
class Discovery {
 public:
  explicit Discovery(Requester& requester);

  /// nullopt: the server does not know the kind. Throws Error(kTransient) when it cannot say,
  /// because an aggregated API server that may serve it does not answer.
  Task<std::optional<Resource>> find(std::string api_version, std::string kind);
  Task<Kinds> all();
  void forget();

  struct Snapshot : Kinds {
    uint64_t number = 0;  // of the fetch that it came from
    const Resource* find(const std::string& api_version, const std::string& kind) const;
  };

 private:
  Task<std::shared_ptr<const Snapshot>> newer_than(uint64_t number);
  Task<void> fetch();

  Requester& requester_;
  std::shared_ptr<const Snapshot> snapshot_;
  uint64_t started_ = 0;     // number of the newest fetch
  uint64_t valid_from_ = 0;  // snapshots up to this number are out of date
  bool fetching_ = false;
  Event fetched_;
};

}  // namespace blackstart::kube
