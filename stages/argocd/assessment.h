// All Applications that are waited for, together: how far they are, and what holds them up; pure.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "orchestrator/kube/diagnosis.h"
#include "stages/argocd/wait_options.h"

namespace blackstart::stages::argocd {

struct Assessment {
  size_t total = 0;  // Applications that are there
  size_t at_least = 1;
  size_t sets = 0;                    // ApplicationSets that are waited for
  std::vector<Verdict> pending;       // all that are not done
  std::vector<std::string> accepted;  // that count as done, though they are not: a phrase each
  std::vector<std::string> notes;     // ApplicationSets that generated nothing

  bool done() const { return pending.empty() && total >= at_least; }
};

using Objects = std::vector<const boost::json::value*>;

Assessment assess(const WaitFor& wanted, const Objects& applications,
                  const Objects& application_sets, const ExpectedRevision& expected);

/// What the stage knows when it decides. Kept apart from the stage so that tests can make one.
struct WaitState {
  Assessment assessment;
  std::vector<Verdict> confirmed;                       // stuck for longer than the grace
  std::vector<Verdict> to_remedy;                       // whose remedy has not been tried yet
  std::map<std::string, kube::Diagnosis> explanations;  // of unhealthy Applications, by name
};

/// "3 of 4 Applications Synced and Healthy; accepted: …".
std::string describe_done(const Assessment& assessment);

engine::Decision decide_wait(const WaitState& state, const engine::Observation& seen);

}  // namespace blackstart::stages::argocd
