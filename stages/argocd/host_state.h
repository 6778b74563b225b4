// What is known of the host processes from one run to the next, and how they are found again.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestrator/engine/context.h"
#include "stages/argocd/components.h"

namespace blackstart::stages::argocd {

/// One component as it was started. Without `daemon`: it was about to be started when we died.
struct Started {
  std::optional<Daemon> daemon;
  std::string digest;  // Component::digest() then
};

/// The state file of one argocd.host. Written before each start and after it: what a crash in
/// between leaves behind carries a mark in its environment and is found in /proc.
class HostState {
 public:
  /// Reads FOLDER/host.json; a missing or damaged file is an empty state.
  static HostState load(World& world, const std::string& folder);
  void save() const;

  /// The running process of a component, or nullopt. Looks into /proc when a start was interrupted.
  std::optional<Daemon> running(const std::string& component) const;
  /// All processes that carry the mark of this folder, recorded or not.
  std::vector<Daemon> marked(const std::string& component = {}) const;
  /// The variable that marks a component's process.
  std::pair<std::string, std::string> mark(const std::string& component) const;

  Ports ports;
  std::string redis_password;
  std::map<std::string, Started> started;

 private:
  HostState(World& world, std::string folder) : world_(&world), folder_(std::move(folder)) {}

  World* world_;
  std::string folder_;
};

}  // namespace blackstart::stages::argocd
