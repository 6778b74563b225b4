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
  bool exec_plugin = false;  // helm starts one to be let in
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

/// The same upgrade that takes whatever is there, and gives it the chart's fields, whoever set them
/// before. Helm 3.17 or newer.
void take_ownership(std::vector<std::string>& upgrade, int helm_major);
/// The manifest of the release that such an upgrade would make; helm only tries it. Nothing of its
/// answer is shown: there are secrets in it. Throws Error as run_helm does, and
/// Error(kPermanent) for an answer that cannot be read.
Task<std::string> rehearsed_manifest(engine::Context& context, engine::Tool helm, Target target,
                                     std::vector<std::string> upgrade, std::string what);

/// Does helm say that an object is not the release's? It then has changed none.
bool speaks_of_ownership(const Error& error);

/// Runs helm to its end, its lines as events. A failure throws Error, of the class that helm's
/// words speak of: `what` failed, because of its last lines.
Task<void> run_helm(engine::Context& context, engine::Tool helm, Target target,
                    std::vector<std::string> arguments, std::string what);

}  // namespace blackstart::stages::helm
