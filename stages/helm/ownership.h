// Whose the objects of a chart are that stand in the cluster already.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/client.h"
#include "stages/helm/release_options.h"

namespace blackstart::stages::helm {

/// An object that a chart brings, and that does not belong to the release.
struct Foreign {
  kube::ObjectRef ref;
  std::string release;  // "namespace/name" of the one that it belongs to; empty: to none
};

/// Does helm refuse to touch this object for the release? By the label and the annotations that it
/// checks itself.
std::optional<Foreign> foreign_to(const WantedRelease& wanted, const boost::json::value& live);

/// Looks at all objects of a rendered manifest. Throws when not all of them can be looked at.
Task<std::vector<Foreign>> find_foreign(kube::Client& client, WantedRelease wanted,
                                        std::string manifest);

/// Adds to helm's own error, which names one of them, who they all are and what to do.
void explain_foreign(const std::vector<Foreign>& found, Error& error);
/// `takeOwnership` is for what belongs to none: an Error(kPermanent) when another release has some.
std::optional<Error> refuse_to_take(const WantedRelease& wanted, const std::vector<Foreign>& found);

}  // namespace blackstart::stages::helm
