// Informers that wake a waiting stage: what it looks at may change from one look to the next.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "orchestrator/kube/watch.h"

namespace blackstart::stages {

/// The watches of one stage. Loop-confined; stop() before destruction.
class Watches {
 public:
  /// Starts what is newly asked for and stops what no longer is. At most kMost are kept: the first.
  /// Throws as kube::Informer::start does.
  Task<void> look_at(std::shared_ptr<kube::Client> client, std::vector<kube::Selection> selections);
  /// The view of a selection that is looked at, else null.
  kube::Informer* find(const kube::Selection& selection) const;
  /// Completes when any of them has news; at once when nothing is watched.
  Task<void> changed(Executor executor);
  Task<void> stop();
  bool empty() const { return running_.empty(); }

  static constexpr size_t kMost = 16;

 private:
  struct Running {
    kube::Selection selection;
    std::unique_ptr<kube::Informer> informer;
  };
  std::shared_ptr<kube::Client> client_;
  std::vector<Running> running_;
};

}  // namespace blackstart::stages
