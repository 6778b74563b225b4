// Making a starter repository.
#pragma once

#include <string>

#include "orchestrator/engine/tools.h"
#include "orchestrator/world/world.h"

namespace blackstart::cli {

struct StarterRequest {
  std::string folder;  // absolute; new or empty
  std::string name;    // of the plan; empty = made of the folder's name
};

/// Writes the starter files and Argo CD's chart into the folder and commits them to a new Git
/// repository, whose URL they name. Throws Error: kUsage for a folder that is not empty or a name
/// that cannot be one, kPermanent when git or the chart is missing. What a failed call has made is
/// taken away again.
Task<void> make_starter(World& world, engine::Tools& tools, StarterRequest request);

/// A DNS label made of the last part of a path: "My Lab" gives "my-lab".
std::string plan_name_of(const std::string& folder);

}  // namespace blackstart::cli
