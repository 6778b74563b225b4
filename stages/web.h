// URLs of the plan, and what the servers there answer.
#pragma once

#include <string>

#include "orchestrator/base/error.h"

namespace blackstart::stages {

/// Throws Error(kUsage) at `place` for what is neither http nor https, cannot be read as a URL, or
/// holds credentials: those would stand in every log on the way.
void check_url(const std::string& url, const Place& place);

/// "https://example.com:8443" of "https://example.com:8443/a". Of a URL that was checked.
std::string origin_of(const std::string& url);

/// Is the host this machine itself? Nobody stands on the way there. Of a URL that was checked.
bool is_of_this_machine(const std::string& url);

/// For people: what follows "?" may be a secret.
std::string without_query(const std::string& url);

/// What kind of failure an HTTP status is that was not hoped for.
ErrorClass class_of_status(int status);

}  // namespace blackstart::stages
