// What a plan says about one release.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/helm/chart.h"

namespace blackstart::stages::helm {

/// The stage's options, read, with all local files behind them.
/// How the description of a revision of ours begins.
inline constexpr const char* kOurDescription = "applied by blackstart, inputs ";

struct WantedRelease {
  std::string release;
  std::string name_space;
  Chart chart;
  std::vector<std::string> values_files;  // absolute
  std::vector<std::string> values_shown;  // the same, as the plan writes them
  boost::json::value set;                 // inline values, laid over the files; an object
  boost::json::value values;              // all of them merged
  std::string stamp;   // of chart and values: tells whether a release was made from these
  Duration timeout{};  // that helm gives each hook
  Duration grace{};    // for how long trouble that may pass must last to end the wait
  Duration
      unfinished_grace{};  // for how long the unfinished record of another's helm counts as work
  bool create_namespace = false;
  bool skip_crds = false;
  bool take_ownership = false;
  bool reclaim = false;
  bool force = false;
  bool wait = true;

  std::string name() const { return name_space + "/" + release; }
  /// What helm is to write into a release's description.
  std::string description() const { return kOurDescription + stamp; }
};

/// Throws Error(kUsage) for what is missing or wrong, plan::NotKnownYet for what depends on another
/// stage.
WantedRelease read_wanted(engine::Context& context);

}  // namespace blackstart::stages::helm
