// Why a hook of a release did not complete, asked of the cluster.
#pragma once

#include <string>

#include "orchestrator/kube/client.h"

namespace blackstart::stages::helm {

/// Adds to helm's error, when that speaks of hooks, the Job among them that is not done, down to
/// the last lines that it logged. `hooks`: the release's own, as rendered. Reads only; what cannot
/// be read is left out.
Task<void> explain_hooks(kube::Client& client, std::string hooks, std::string name_space,
                         Error& error);

}  // namespace blackstart::stages::helm
