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
  std::vector<std::string> names;  // with their children; empty: all Applications
  std::vector<std::string> except;
  size_t at_least = 1;
};

struct Assessment {
  size_t total = 0;
  size_t at_least = 1;
  std::vector<Verdict> pending;    // all that are not done
  std::vector<std::string> notes;  // ApplicationSets that failed or generated nothing

  bool done() const { return pending.empty() && total >= at_least; }
};

using Objects = std::vector<const boost::json::value*>;

Assessment assess(const WaitFor& wanted, const Objects& applications,
                  const Objects& application_sets, const ExpectedRevision& expected);

/// "2 of 5 Applications are not done: argocd: OutOfSync, Progressing; …"
std::string describe(const Assessment& assessment);

/// What the stage knows when it decides. Kept apart from the stage so that tests can make one.
struct WaitState {
  Assessment assessment;
  std::vector<Verdict> confirmed;                   // stuck for longer than the grace
  std::vector<Verdict> to_refresh;                  // stale, and not yet told to look again
  std::map<std::string, std::string> explanations;  // of unhealthy Applications, by name
};

engine::Decision decide_wait(const WaitState& state, const engine::Observation& seen);

}  // namespace blackstart::stages::argocd
