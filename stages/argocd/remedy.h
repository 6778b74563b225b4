// What argocd.wait may ask of Argo CD: as actions, and as patches of its objects; pure.
#pragma once

#include "orchestrator/engine/stage.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

/// The action that carries out the verdict's remedy.
engine::Action action_for(const Verdict& verdict);
/// While this stays the same the remedy is not tried a second time.
std::string occasion_of(const Verdict& verdict);
/// Whom it is applied to, in the namespace of Argo CD.
kube::ObjectRef target_of(const Verdict& verdict, const std::string& name_space);
/// The merge patch; `live`: the Application or ApplicationSet. What is about an operation holds for
/// `live` as it is given alone: the API server answers 409 when it has changed since.
boost::json::value patch_for(const Verdict& verdict, const boost::json::value& live);

}  // namespace blackstart::stages::argocd
