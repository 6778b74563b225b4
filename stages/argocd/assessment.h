// All Applications that are waited for, together: how far they are, and what holds them up; pure.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

/// What argocd.wait was told.
struct WaitFor {
  std::string name_space;
  std::vector<std::string> names;  // with their children; empty: all Applications and sets
  std::vector<std::string> except;
  size_t at_least = 1;
};

struct Assessment {
  size_t total = 0;  // Applications that are there
  size_t at_least = 1;
  size_t sets = 0;                 // ApplicationSets that are waited for
  std::vector<Verdict> pending;    // all that are not done
  std::vector<std::string> notes;  // ApplicationSets that failed or generated nothing

  bool done() const { return pending.empty() && total >= at_least; }
};

using Objects = std::vector<const boost::json::value*>;

Assessment assess(const WaitFor& wanted, const Objects& applications,
                  const Objects& application_sets, const ExpectedRevision& expected);

/// What the stage knows when it decides. Kept apart from the stage so that tests can make one.
struct WaitState {
  Assessment assessment;
  std::vector<Verdict> confirmed;                   // stuck for longer than the grace
  std::vector<Verdict> to_refresh;                  // stale, and not yet told to look again
  std::map<std::string, std::string> explanations;  // of unhealthy Applications, by name
};

engine::Decision decide_wait(const WaitState& state, const engine::Observation& seen);

}  // namespace blackstart::stages::argocd
