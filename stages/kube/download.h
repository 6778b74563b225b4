// Manifests behind a URL.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/engine/context.h"

namespace blackstart::stages {

/// `options` and `url` with `sha256`, which pins what it holds.
std::vector<plan::OptionSpec> with_url_fields(std::vector<plan::OptionSpec> options);

/// The text that `source.url` names: https, or http from this machine; up to 32 MiB, up to five
/// redirects, through the proxy of the environment. What is pinned by `source.sha256` is kept below
/// the state folder and then read from there, so that a later run needs no network; what is not
/// pinned is warned of. Throws Error(kUsage) for a URL or pin that is none, Error(kPermanent) when
/// it holds something else than what is pinned or the server refuses, and as Http::send does.
Task<std::string> download(engine::Context& context, const plan::Value& source);

}  // namespace blackstart::stages
