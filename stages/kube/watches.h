// Informers that wake a waiting stage: what it looks at may change from one look to the next.
#pragma once

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
  /// look_at(), and a list of each selection that has no current view afterwards, so that items()
  /// knows all of them. Throws as kube::Client::list does.
  Task<void> read(std::shared_ptr<kube::Client> client, std::vector<kube::Selection> selections);
  /// The objects of a selection that was read; pointers hold until the next suspension of the
  /// caller.
  std::vector<const boost::json::value*> items(const kube::Selection& selection) const;
  /// The view of a selection, while it is current; null when it is not watched or its watch is in
  /// trouble: what was not looked at is neither absent nor as it was.
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
  /// What was asked for once, for want of a current view.
  struct Listed {
    kube::Selection selection;
    std::vector<boost::json::value> items;
  };
  kube::Informer* running(const kube::Selection& selection) const;
  Task<void> list(kube::Selection selection);

  std::shared_ptr<kube::Client> client_;
  std::vector<Running> running_;
  std::vector<Listed> listed_;
};

}  // namespace blackstart::stages
