// helm's command lines: both majors, no ambient configuration, no secret in any argument.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/engine/tools.h"
#include "stages/helm/release_options.h"

namespace blackstart::stages::helm {

/// Below the stage's folder, while a helm runs.
inline constexpr const char* kHomeFolder = "/helm";

/// Which cluster helm is to talk to.
struct Target {
  std::string kubeconfig;
  std::string context;
};

/// `helm upgrade --install`. `values_files` are all of them, in order.
std::vector<std::string> upgrade_arguments(const WantedRelease& wanted,
                                           const std::vector<std::string>& values_files,
                                           int helm_major, const Target& target);
std::vector<std::string> rollback_arguments(const WantedRelease& wanted, int64_t revision,
                                            int helm_major, const Target& target);
std::vector<std::string> uninstall_arguments(const WantedRelease& wanted, const Target& target);

/// What kind of failure helm's last words speak of, so that the engine knows whether to try again.
ErrorClass classify_failure(std::string_view text);

/// Finds helm and checks that it is one we can drive.
Task<engine::Tool> require_helm(engine::Context& context, const WantedRelease& wanted);

/// Runs helm to its end, its lines as events. A failure throws Error: `what` failed, because of its
/// last lines.
Task<void> run_helm(engine::Context& context, engine::Tool helm, std::vector<std::string> arguments,
                    std::string what);

}  // namespace blackstart::stages::helm
