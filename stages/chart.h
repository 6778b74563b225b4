// A chart as a plan names it: a folder, an archive, or one of a chart repository or OCI registry.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/plan/schema.h"
#include "orchestrator/plan/value.h"

namespace blackstart::stages {

/// The fields of every option `chart`.
std::vector<plan::OptionSpec> chart_fields();

struct ChartReference {
  std::string path;  // folder or archive, absolute; empty = it is fetched
  std::string name;  // of one that is fetched, as the next two
  std::string version;
  std::string repo;
  std::string argument;            // helm's CHART
  std::vector<std::string> flags;  // helm's --repo and --version
};

/// Reads the option. Throws Error(kUsage) at its place for a chart that is named in no way, in two,
/// or without a version.
ChartReference read_chart_reference(const plan::Value& option);

/// A values file as helm's --values takes it: helm reads a list of names with the rules of CSV.
std::string values_argument(const std::string& file);

}  // namespace blackstart::stages
