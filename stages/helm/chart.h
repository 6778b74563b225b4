// What is in a chart, and how it differs from the one that a release was made from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/world/files.h"
#include "stages/chart.h"
#include "stages/helm/release_record.h"

namespace blackstart::stages::helm {

/// What the option `chart` says, and for a folder what is in it.
struct Chart {
  std::string name;          // empty for an archive: only helm knows
  std::string version;       // empty for an archive
  ChartReference reference;  // where it is
  std::string display;       // for people: "argo-cd 10.1.1 from https://…"
  std::string digest;        // of all that it holds; empty for a chart that is fetched
  std::map<std::string, std::string> files;  // folder: what helm keeps in a release, by name
  boost::json::value values;                 // folder: its values.yaml
  bool readable = false;  // a folder without charts in it: its files can be compared one by one
};

/// Reads the option. Throws Error(kUsage) at its place, as read_chart_reference does and for a
/// missing folder or one without a usable Chart.yaml.
Chart read_chart(const Files& files, const plan::Value& option);

/// What differs between the chart and the one a release was made from, a phrase each; empty when
/// nothing does. `known` false: its content cannot be compared.
struct ChartDifference {
  bool known = true;
  std::vector<std::string> phrases;
};
ChartDifference compare_chart(const Chart& chart, const Release& release);

/// The patterns of a .helmignore, in the subset of shell patterns that charts use.
class IgnoreRules {
 public:
  explicit IgnoreRules(std::string_view text);
  /// `path` relative to the chart, without a leading slash.
  bool ignores(const std::string& path) const;

 private:
  std::vector<std::string> patterns_;
};

}  // namespace blackstart::stages::helm
