// Where in a manifest's file the field stands that the API server does not like.
#pragma once

#include <string_view>

#include "orchestrator/kube/object.h"
#include "orchestrator/world/files.h"

namespace blackstart::kube {

/// The place of the first field that `message` names (".spec.replicsa: field not declared",
/// "spec.ports[0].port: Required value", unknown field "spec.a") in the file that `manifest` was
/// read from, or of the nearest thing around it that is written there. The file is read once more
/// for it: errors are rare, and trees of all manifests are not. The object's own place when the
/// message names no field, or the file cannot be read any more or was none (a rendered chart).
Place place_of_field(const Files& files, const Manifest& manifest, std::string_view message);

}  // namespace blackstart::kube
