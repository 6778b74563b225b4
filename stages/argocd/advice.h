// What to do about an error that Argo CD reports; pure.
#pragma once

#include <string>
#include <string_view>

namespace blackstart::stages::argocd {

/// `condition`: its type ("ComparisonError", "InvalidSpecError", …); `message`: Argo CD's words, of
/// an Application or an ApplicationSet.
std::string advice_about(std::string_view condition, std::string_view message);

/// What keeps Argo CD from a repository, as far as its words tell.
enum class Access { kFine, kRefused, kUnreachable, kMissing };
Access access_in(std::string_view message);

}  // namespace blackstart::stages::argocd
