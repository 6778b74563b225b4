// The starter repository as `init` makes it, in the simulated files.
#pragma once

#include <string>

#include "tests/simulation/world/sim_files.h"

namespace blackstart::sim {

inline constexpr const char* kRepository = "/plan";

/// The files of plans/quickstart with a chart filled in and the repository's URL set. The chart has
/// the kinds, names and labels of Argo CD's own manifests, and none of their bulk.
void add_starter(SimFiles& files);

}  // namespace blackstart::sim
