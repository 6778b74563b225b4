// URLs of the plan.
#pragma once

#include <string>

#include "orchestrator/base/place.h"

namespace blackstart::stages {

/// Throws Error(kUsage) at `place` for what is neither http nor https, names no host, or holds
/// credentials: those would stand in every log on the way.
void check_url(const std::string& url, const Place& place);

/// "example.com:8443" of "https://example.com:8443/a"; with the user, if any, still there.
std::string authority_of(const std::string& url);

/// Is the host this machine itself? Nobody stands on the way there.
bool is_of_this_machine(const std::string& url);

/// For people: what follows "?" may be a secret.
std::string without_query(const std::string& url);

}  // namespace blackstart::stages
