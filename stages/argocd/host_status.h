// How the host processes stand, and what is to be done about it: pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "stages/argocd/components.h"

namespace blackstart::stages::argocd {

struct ComponentStatus {
  Component component;
  bool known = false;  // it was started before
  bool running = false;
  int starts = 0;         // how often this run has started it
  bool outdated = false;  // running with other arguments than it should
  bool serving = false;   // its health check answers
  std::string waits_for;  // what must be there before it can start; empty: nothing is missing
  std::vector<std::string> last_words;  // of one that has died

  bool startable() const { return (!running || outdated) && waits_for.empty(); }
  /// It ends whenever it is started.
  bool failing() const { return !running && starts >= kStartsMost; }

  static constexpr int kStartsMost = 3;
};

struct HostStatus {
  std::vector<ComponentStatus> components;
  std::optional<Error> trouble;  // why the cluster could not be asked
  bool leftovers = false;        // a state file or processes are there

  bool all_serving() const;
};

engine::Observation describe_host(const HostStatus& status);
/// "redis-server is not running: LAST WORDS", for all that are not as wanted.
std::string reason_of(const HostStatus& status);
engine::Decision decide_host(const HostStatus& status, const engine::Observation& seen);
engine::Decision decide_host_removal(const HostStatus& status);

}  // namespace blackstart::stages::argocd
