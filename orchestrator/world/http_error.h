// From curl's result to an Error that says what failed, where, why and what to do.
#pragma once

#include <curl/curl.h>

#include <string>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"

namespace blackstart::real {

struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string reason;                       // curl's own text; empty = its text for the code
  int system_error = 0;                     // errno of the connection that failed; 0 = unknown
  std::vector<std::string> addresses = {};  // that a connection was asked of, "10.0.0.1:6443"
  int proxy_status = 0;  // of the proxy's answer to CONNECT; 0 = none, or there is no proxy
};

/// `request` is "GET https://host/path".
Error to_error(const std::string& request, const CurlFailure& failure);

/// There was no connection within `limit`: kUnreachable.
Error no_connection_in_time(const std::string& request, const std::vector<std::string>& addresses,
                            Duration limit);

}  // namespace blackstart::real
