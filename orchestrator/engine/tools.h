// External tools: found once, version-checked, started with an exact environment.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestrator/world/shared_work.h"
#include "orchestrator/world/world.h"

namespace blackstart::engine {

/// How a tool says its version.
struct ToolProbe {
  std::vector<std::string> args;  // {"version", "--template={{.Version}}"}
  std::string minimum;            // "3.12.0"; empty = any
  std::string maximum_below;      // "5.0.0"; empty = any
};

struct Tool {
  std::string name;
  std::string path;     // absolute
  std::string version;  // "3.21.4", without "v"; empty when it was not asked for
  int major() const;
};

/// Finds tools: the plan's `tools:`, then the project's own parts (../parts/bin beside the
/// program's folder, or BLACKSTART_PARTS), then PATH.
class Tools {
 public:
  Tools(World& world, std::map<std::string, std::string> from_plan);

  /// Throws Error(kPermanent) saying where was looked, what is needed and how to get it.
  std::string find(const std::string& name);
  /// Finds and asks for the version, once per run; throws when it is too old or too new for this
  /// caller.
  Task<Tool> require(std::string name, ToolProbe probe);
  /// A command with nothing inherited but PATH (the tool's folder, our parts, the system's
  /// folders), HOME
  /// (`home`, so that no ambient configuration is used), locale and proxy settings.
  Command command(const std::string& path, std::vector<std::string> args, const std::string& home);
  /// The folder of the project's own parts; empty when there is none.
  std::string parts_folder() const;
  /// The version that the project builds and tests with ("v3.21.4"); empty when it is no part of
  /// ours.
  static std::string pinned_version(const std::string& name);
  static std::vector<std::string> pinned_names();

 private:
  Task<void> ask_version(std::string name, std::vector<std::string> args);

  World& world_;
  std::map<std::string, std::string> from_plan_;
  std::map<std::string, Tool> known_;
  std::map<std::string, SharedWork> asking_;  // by name: asked once, however many need it
};

}  // namespace blackstart::engine
