// The password of Argo CD's Redis, which its chart makes in a hook, or somebody else has to.
#pragma once

#include "stages/helm/release_options.h"

namespace blackstart::stages::helm {

/// Warns when the values of the chart argo-cd switch that hook off, and no stage before this one
/// makes the Secret `argocd-redis`: Redis would not start.
void lint_redis_secret(engine::Context& context, const WantedRelease& wanted);

}  // namespace blackstart::stages::helm
