// What Helm itself remembers of a release: one Secret per revision, read without running helm.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/world/clock.h"

namespace blackstart::stages::helm {

/// One revision of a release.
struct Release {
  std::string record;  // what tells this state of the record from another; set by the reader
  std::string secret;  // name of the Secret that holds it
  int64_t revision = 0;
  std::string status;       // "deployed", "failed", "pending-install", "uninstalling", …
  std::string description;  // "Install complete", or why it failed
  std::string chart;
  std::string version;                       // of the chart
  WallTime modified;                         // when helm last wrote the record
  boost::json::value config;                 // the values that the user gave; an object
  boost::json::value chart_values;           // the chart's own values.yaml; an object
  std::map<std::string, std::string> files;  // templates, CRDs and other files of the chart by name
  std::string manifest;                      // all rendered objects but hooks
  std::string hooks;                         // the rendered hooks

  /// Some helm is at work on it, or died while it was.
  bool unfinished() const { return status.starts_with("pending-") || uninstalling(); }
  bool uninstalling() const { return status == "uninstalling"; }
  bool deployed() const { return status == "deployed"; }
};

/// Reads one release Secret. Throws Error(kPermanent) naming the Secret when it holds no release.
Release decode_release(const boost::json::value& secret);

/// The highest revision, or null.
const Release* newest(const std::vector<Release>& releases);
/// The highest revision below `before` that once was deployed: what a rollback goes to; null when
/// none was.
const Release* last_good(const std::vector<Release>& releases, int64_t before);

}  // namespace blackstart::stages::helm
