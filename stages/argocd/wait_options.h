// What a plan says to argocd.wait.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

/// What is made of an Application that is not done, and that Argo CD itself leaves as it is.
enum class Answer {
  kFail,    // the wait ends, after the grace
  kWait,    // somebody else will see to it, before the stage's deadline
  kAccept,  // it counts as done, and is named
  kSync,    // Argo CD is told to sync it, once for each revision
};

struct WaitFor {
  std::string name_space;
  std::vector<std::string> names;  // with their children; empty: all Applications and sets
  std::vector<std::string> except;
  size_t at_least = 1;
  std::map<std::string, size_t> sets;  // ApplicationSets: how many each has to generate
  Answer out_of_sync = Answer::kFail;
  Answer suspended = Answer::kFail;  // never kSync
  bool terminate_pinned = false;
};

/// Throws Error(kUsage) at its place for what cannot be waited for.
WaitFor read_wait_for(engine::Context& context);
std::vector<plan::OptionSpec> wait_options();

/// What the plan makes of it: a verdict that counts as done, is waited out, or gets a remedy.
Verdict settled(Verdict verdict, const WaitFor& wanted);

}  // namespace blackstart::stages::argocd
