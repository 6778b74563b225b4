// The objects that a release brought: are they there, are they ready, and if not, why.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/readiness.h"
#include "stages/kube/watches.h"

namespace blackstart::stages::helm {

/// How the objects of one release stand.
struct ObjectsState {
  std::vector<kube::ObjectRef> missing;
  std::vector<std::pair<kube::ObjectRef, kube::Readiness>> unready;  // the worst goes first
  boost::json::value first_unready;  // as it is in the cluster, for a diagnosis
  std::set<std::string> trackers;  // Applications that Argo CD tracks them under; empty name: none
  std::string handed_over;         // the one that tracks all that are there; empty: none does
  boost::json::value keeper;       // that Application itself; null when it is not known
  bool ready() const { return missing.empty() && unready.empty(); }
};

/// Looks at the objects of a release's manifest: one LIST per kind at first, then only at kinds
/// that were not ready, which are watched. Loop-confined; stop() before destruction.
class ReleaseObjects {
 public:
  /// Another revision: what was seen is forgotten. Reads the rendered manifest of a release.
  Task<void> set_manifest(std::shared_ptr<kube::Client> client, std::string manifest,
                          std::string name_space, std::string source);
  Task<ObjectsState> look();
  /// Completes when an object of a kind that was not ready has changed.
  Task<void> changed(Executor executor) { return watches_.changed(executor); }
  Task<void> stop() { return watches_.stop(); }
  /// Is this release Argo CD itself?
  bool is_argocd() const;

 private:
  struct Group {
    kube::Selection selection;
    std::vector<boost::json::value> wanted;
    std::vector<boost::json::value> live;
    bool settled = false;  // all there and ready when last looked at
  };
  Task<void> read(Group& group);
  Task<void> read_unsettled();
  Task<ObjectsState> judge_all();
  void judge(Group& group, const kube::Surroundings& around, ObjectsState& state) const;

  std::shared_ptr<kube::Client> client_;
  std::vector<Group> groups_;
  Watches watches_;
};

}  // namespace blackstart::stages::helm
