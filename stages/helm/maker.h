// Who installed a release: `destroy` uninstalls only what we did.
#pragma once

#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/helm/release_options.h"
#include "stages/helm/release_record.h"

namespace blackstart::stages::helm {

/// Before helm is run: notes, once for each release, whether it was there before. Durable when it
/// returns.
Task<void> note_maker(engine::Context& context, const WantedRelease& wanted, bool is_there);

/// Did the stage install it? `releases`: all of its records that are left. What is not noted is
/// told from the oldest of them: helm keeps the description that it was given.
bool installed_here(engine::Context& context, const WantedRelease& wanted,
                    const std::vector<Release>& releases);

/// The release is not there: who installs it next is not known yet. Does nothing when nothing is
/// noted.
Task<void> forget_maker(engine::Context& context, const WantedRelease& wanted);

/// Is it noted who installed it?
bool maker_is_noted(engine::Context& context, const WantedRelease& wanted);

}  // namespace blackstart::stages::helm
