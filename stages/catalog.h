// All stage types that this program has.
#pragma once

#include "orchestrator/engine/stage.h"

namespace blackstart::stages {

/// The one catalog; lives as long as the program.
const engine::Catalog& catalog();

}  // namespace blackstart::stages
