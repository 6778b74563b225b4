// Why a hook of a chart did not complete, asked of the cluster.
#pragma once

#include <string>

#include "orchestrator/kube/client.h"

namespace blackstart::stages::helm {

/// Adds to helm's error, when that speaks of a hook, the hook's Job down to the last lines that it
/// logged. Reads only; what cannot be read is left out.
Task<void> explain_hooks(kube::Client& client, std::string name_space, Error& error);

}  // namespace blackstart::stages::helm
