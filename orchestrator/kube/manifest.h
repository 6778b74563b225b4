// Manifests from files, folders and rendered text, read as kubectl reads them.
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/base/error.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/world/files.h"
#include "orchestrator/world/process.h"

namespace blackstart::kube {

/// All documents of one text; lists of kind List are taken apart, empty documents left out. What is
/// no object (no kind, no name, a duplicate key, a duplicate object) goes to `diagnostics`.
Manifests read_manifests(std::string_view text, std::string_view file, Diagnostics& diagnostics);

/// A file, or all *.yaml, *.yml and *.json of a folder (with its sub-folders), in order of name.
Manifests load_manifests(const Files& files, const std::string& path, Diagnostics& diagnostics);

/// `kustomize build`; the error carries kustomize's last lines.
Task<std::string> render_kustomize(Processes& processes, Command kustomize, std::string folder);

/// As Diagnostics::has_errors -> one Error(kUsage) that carries all of them.
void throw_if_broken(const Diagnostics& diagnostics, const std::string& what);

}  // namespace blackstart::kube
