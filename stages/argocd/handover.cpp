#include "stages/argocd/handover.h"

#include "orchestrator/kube/object.h"

namespace blackstart::stages::argocd {
namespace {

/// Charts set app.kubernetes.io/instance too, so that label only counts when Argo CD has set fields
/// here.
bool set_by_argocd(const boost::json::value& live) {
  const auto& array = kube::list_at(live, {"metadata", "managedFields"});
  return std::any_of(array.begin(), array.end(), [](const boost::json::value& entry) {
    return kube::text_at(entry, {"manager"}) == "argocd-controller" &&
           kube::text_at(entry, {"subresource"}).empty();
  });
}

}  // namespace

std::optional<std::string> tracked_by(const boost::json::value& live) {
  // "APPLICATION:group/Kind:namespace/name", with "NAMESPACE_" in front of one in another
  // namespace.
  std::string id =
      kube::text_at(live, {"metadata", "annotations", "argocd.argoproj.io/tracking-id"});
  if (size_t colon = id.find(':'); colon != std::string::npos && colon > 0)
    return id.substr(0, colon);
  for (const char* label : {"argocd.argoproj.io/instance", "app.kubernetes.io/instance"}) {
    std::string name = kube::text_at(live, {"metadata", "labels", label});
    if (!name.empty() && set_by_argocd(live)) return name;
  }
  return std::nullopt;
}

}  // namespace blackstart::stages::argocd
