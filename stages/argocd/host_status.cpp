#include "stages/argocd/host_status.h"

#include "orchestrator/base/text.h"

namespace blackstart::stages::argocd {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;

std::string sentence(const ComponentStatus& status) {
  const std::string& program = status.component.program();
  if (status.running && status.outdated)
    return program + " runs with other arguments or for another cluster";
  if (status.running) return program + " does not answer on its health check yet";
  std::string text = program + (status.known ? " is not running any more" : " is not running");
  if (!status.waits_for.empty()) text += ", it waits for " + status.waits_for;
  if (!status.last_words.empty()) text += "; it said last: " + status.last_words.back();
  return text;
}

Action start_action(const ComponentStatus& status) {
  Action action;
  action.id = "start-" + status.component.name;
  action.summary = (status.running ? "restart " : "start ") + status.component.program();
  for (const std::string& line : status.last_words) action.details.push_back("last words: " + line);
  return action;
}

}  // namespace

bool HostStatus::all_serving() const {
  return std::all_of(components.begin(), components.end(), [](const ComponentStatus& status) {
    return status.running && status.serving && !status.outdated;
  });
}

std::string reason_of(const HostStatus& status) {
  std::vector<std::string> sentences;
  for (const ComponentStatus& one : status.components) {
    if (!one.running || one.outdated || !one.serving) sentences.push_back(sentence(one));
  }
  if (status.trouble) sentences.push_back(status.trouble->full_text());
  return join(sentences, "; ");
}

Observation describe_host(const HostStatus& status) {
  if (status.all_serving())
    return Observation::present(count_of(status.components.size(), "process of Argo CD serves",
                                         "processes of Argo CD serve"));
  bool any = std::any_of(status.components.begin(), status.components.end(),
                         [](const ComponentStatus& one) { return one.running || one.known; });
  if (any) return Observation::differs(reason_of(status));
  return Observation::absent("Argo CD does not run on this host");
}

Decision decide_host(const HostStatus& status, const Observation& seen) {
  if (seen.is_present()) return Decision::satisfied(seen.reason);
  for (const ComponentStatus& one : status.components) {
    if (!one.failing()) continue;
    Decision decision = Decision::blocked(one.component.program() + " was started " +
                                              count_of(one.starts, "time") + " and ended each time",
                                          "correct what its last words name, then apply again");
    decision.causes = one.last_words;
    return decision;
  }
  std::vector<Action> actions;
  bool deferred = seen.state == Observation::State::kDeferred;
  for (const ComponentStatus& one : status.components) {
    if (deferred || one.startable()) actions.push_back(start_action(one));
  }
  if (!actions.empty()) return Decision::act(std::move(actions), seen.reason);
  Decision decision = Decision::wait(reason_of(status));
  for (const ComponentStatus& one : status.components) {
    if (!one.serving) decision.waits_for.push_back(one.component.program());
  }
  return decision;
}

Decision decide_host_removal(const HostStatus& status) {
  if (!status.leftovers) return Decision::satisfied("Argo CD does not run on this host");
  Action action;
  action.id = "stop";
  action.summary = "stop Argo CD's processes and remove their files";
  action.destructive = true;
  for (const ComponentStatus& one : status.components) {
    if (one.running) action.details.push_back("- " + one.component.program());
  }
  return Decision::act(std::move(action));
}

}  // namespace blackstart::stages::argocd
