// From curl's result to an Error that says what failed, where, why and what to do.
#pragma once

#include <curl/curl.h>

#include <string>

#include "orchestrator/base/error.h"

namespace blackstart::real {

struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string reason;      // curl's own text; empty = its text for the code
  int system_error = 0;    // errno of the connection that failed; 0 = unknown
  bool connected = false;  // the connection (with TLS) had been made
};

/// `request` is "GET https://host/path".
Error to_error(const std::string& request, const CurlFailure& failure);

}  // namespace blackstart::real
