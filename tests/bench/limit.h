// The limit that applying is measured against: the same requests with nothing around them, as fast
// as the API server takes them.
#pragma once

#include <string>

#include "tests/bench/bench_cluster.h"

namespace blackstart::test {

/// How the requests alone are sent.
struct Setting {
  int at_once = 0;
  int connections = 0;
};
/// Such as "32 over 1 connection".
std::string text_of(const Setting& setting);

/// raw_patch with a file of requests.
Invocation requests_alone(const std::string& kubeconfig, const std::string& requests,
                          const Setting& setting);

/// Tries the settings with 1,000 ConfigMaps, several times each in turns, and prints what each took
/// and which one was the fastest.
Setting fastest_setting(const BenchCluster& cluster, const TemporaryFolder& folder);

}  // namespace blackstart::test
