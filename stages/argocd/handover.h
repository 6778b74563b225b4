// Who owns a thing once Argo CD runs: what it tracks is its own, and is only verified.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

namespace blackstart::stages::argocd {

/// The name of the Application that tracks a live object: from Argo CD's tracking-id annotation, or
/// its instance label where Argo CD itself wrote it. nullopt: Argo CD does not manage it.
std::optional<std::string> tracked_by(const boost::json::value& live);

}  // namespace blackstart::stages::argocd
