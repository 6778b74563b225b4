// Releases as helm stores them.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace blackstart::stages::helm {

/// The Secret of revision `revision` of release web in namespace web: chart web 1.0.0 with one
/// template and one CRD. `config` is JSON; `modified` seconds since 1970.
boost::json::value release_secret(int revision, const std::string& status,
                                  const std::string& config,
                                  const std::string& description = "Install complete",
                                  const std::string& manifest = "", int64_t modified = 1700000000,
                                  const std::string& hook = "");

}  // namespace blackstart::stages::helm
