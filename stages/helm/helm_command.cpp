#include "stages/helm/helm_command.h"

#include <array>
#include <boost/json/parse.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"
#include "stages/chart.h"

namespace blackstart::stages::helm {
namespace {

constexpr const char* kOldestHelm = "3.16.0";
constexpr const char* kOldestForOwnership = "3.17.0";
constexpr const char* kTooNewHelm = "5.0.0";
// What helm says of objects that another release, or nobody, owns.
constexpr const char* kOwnedByOthers = "cannot be imported into the current release";
constexpr size_t kLastLines = 12;
constexpr size_t kReleaseLimit = 64u << 20;  // of one as JSON, with all files of its chart

void add_target(std::vector<std::string>& arguments, const WantedRelease& wanted,
                const Target& target) {
  arguments.insert(arguments.end(), {"--namespace", wanted.name_space, "--kubeconfig",
                                     target.kubeconfig, "--kube-context", target.context});
}

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count()) + "s";
}

template <size_t N>
bool has_any(const std::string& text, const std::array<const char*, N>& fragments) {
  return std::any_of(fragments.begin(), fragments.end(), [&](const char* fragment) {
    return text.find(fragment) != std::string::npos;
  });
}

/// helm's own words, without the flood of a template error's context.
std::vector<std::string> reasons(const Exit& exit) {
  std::vector<std::string> lines;
  for (std::string line : exit.last_lines(kLastLines)) {
    if (line.starts_with("Error: ")) line.erase(0, 7);
    if (!trim(line).empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::string hint_for(ErrorClass error_class, const std::string& text) {
  if (text.find(kOwnedByOthers) != std::string::npos)
    return "remove the objects named above, or set takeOwnership: true to adopt them: helm then "
           "gives them the fields of the chart";
  if (text.find("dependencies") != std::string::npos && text.find("charts/") != std::string::npos)
    return "run `helm dependency build` in the chart's folder and commit charts/";
  if (text.find("conflict") != std::string::npos && text.find("field") != std::string::npos)
    return "let the owner named above set these fields, or set force: true to take them over";
  if (error_class == ErrorClass::kAuthentication)
    return "check the rights of the kubeconfig's user";
  return {};
}

std::string home_of(engine::Context& context) { return context.folder() + kHomeFolder; }

/// What a plugin gets from kubectl; nothing of it is about helm, or about another cluster.
void inherit(const Environment& environment, Command& command) {
  for (const auto& [name, value] : environment.all())
    if (name != "KUBECONFIG" && !name.starts_with("HELM_")) command.environment[name] = value;
}

/// A home of its own: neither the user's repositories and plugins nor what an earlier run has left.
Command command_for(engine::Context& context, const engine::Tool& helm, const Target& target,
                    std::vector<std::string> arguments) {
  std::string home = home_of(context);
  Command command = context.tools().command(helm.path, std::move(arguments), home);
  if (target.exec_plugin) inherit(context.world().environment, command);
  command.environment["HELM_CACHE_HOME"] = home + "/cache";
  command.environment["HELM_CONFIG_HOME"] = home + "/config";
  command.environment["HELM_DATA_HOME"] = home + "/data";
  command.environment["HELM_NO_PLUGINS"] = "1";
  command.environment["KUBECACHEDIR"] = home + "/kube";
  return command;
}

Task<Exit> run_at_home(engine::Context& context, Command command) {
  std::string home = home_of(context);
  context.world().files.make_folders(home);
  Exit exit = co_await context.world().processes.run(std::move(command));
  context.world().files.remove_all(home);
  co_return exit;
}

/// For a helm that applies on the server's side; an older one takes over fields unasked.
void force_conflicts(std::vector<std::string>& upgrade, int helm_major) {
  constexpr const char* kForce = "--force-conflicts";
  bool there = std::find(upgrade.begin(), upgrade.end(), kForce) != upgrade.end();
  if (helm_major >= 4 && !there) upgrade.push_back(kForce);
}

Error failure_of(const Exit& exit, const std::string& what) {
  std::string text = exit.err.empty() ? exit.out : exit.err;
  ErrorClass error_class = exit.signal != 0 ? ErrorClass::kTransient : classify_failure(text);
  Error error(error_class, what + " failed: helm ended with " + exit.describe());
  for (std::string& line : reasons(exit)) error.because(std::move(line));
  if (std::string hint = hint_for(error_class, text); !hint.empty()) error.hint(hint);
  return error;
}

/// Of the release that helm prints as JSON.
std::string manifest_in(const Exit& exit, const std::string& what) {
  boost::json::parse_options deep;
  deep.max_depth = 512;
  boost::json::error_code failed;
  boost::json::value release = boost::json::parse(exit.out, failed, {}, deep);
  if (exit.truncated || failed)
    throw Error(ErrorClass::kPermanent, what + " failed: helm's answer cannot be read")
        .because(exit.truncated ? "it is longer than 64 MiB" : "it is no JSON");
  return kube::text_at(release, {"manifest"});
}

}  // namespace

std::vector<std::string> upgrade_arguments(const WantedRelease& wanted,
                                           const std::vector<std::string>& values_files,
                                           int helm_major, const Target& target) {
  std::vector<std::string> arguments{"upgrade", "--install", wanted.release,
                                     wanted.chart.reference.argument};
  add_target(arguments, wanted, target);
  arguments.insert(arguments.end(), wanted.chart.reference.flags.begin(),
                   wanted.chart.reference.flags.end());
  for (const std::string& file : values_files)
    arguments.insert(arguments.end(), {"--values", values_argument(file)});
  // Reproducible: never what an earlier revision was given. Notes may hold passwords.
  arguments.insert(arguments.end(),
                   {"--reset-values", "--hide-notes", "--timeout", seconds(wanted.timeout),
                    "--description", wanted.description()});
  if (wanted.create_namespace) arguments.push_back("--create-namespace");
  if (wanted.skip_crds) arguments.push_back("--skip-crds");
  // Readiness is watched by us: helm only waits for the chart's hooks.
  if (helm_major >= 4) {
    arguments.insert(arguments.end(), {"--wait=hookOnly", "--server-side=auto"});
  } else {
    arguments.push_back("--wait=false");
  }
  if (wanted.force) force_conflicts(arguments, helm_major);
  return arguments;
}

std::vector<std::string> rollback_arguments(const WantedRelease& wanted, int64_t revision,
                                            int helm_major, const Target& target) {
  std::vector<std::string> arguments{"rollback", wanted.release, std::to_string(revision)};
  add_target(arguments, wanted, target);
  arguments.insert(arguments.end(), {"--timeout", seconds(wanted.timeout)});
  if (helm_major >= 4) arguments.insert(arguments.end(), {"--wait=hookOnly", "--server-side=auto"});
  return arguments;
}

std::vector<std::string> uninstall_arguments(const WantedRelease& wanted, const Target& target) {
  std::vector<std::string> arguments{"uninstall", wanted.release, "--ignore-not-found"};
  add_target(arguments, wanted, target);
  arguments.insert(arguments.end(), {"--wait", "--timeout", seconds(wanted.timeout)});
  return arguments;
}

void take_ownership(std::vector<std::string>& upgrade, int helm_major) {
  upgrade.push_back("--take-ownership");
  force_conflicts(upgrade, helm_major);
}

Task<std::string> rehearsed_manifest(engine::Context& context, engine::Tool helm, Target target,
                                     std::vector<std::string> upgrade, std::string what) {
  take_ownership(upgrade, helm.major());
  upgrade.insert(upgrade.end(), {"--dry-run=server", "--output", "json"});
  Command command = command_for(context, helm, target, std::move(upgrade));
  command.output_limit = kReleaseLimit;
  Exit exit = co_await run_at_home(context, std::move(command));
  if (exit.ok()) co_return manifest_in(exit, what);
  exit.out.clear();
  throw failure_of(exit, what);
}

bool speaks_of_ownership(const Error& error) {
  return error.full_text().find(kOwnedByOthers) != std::string::npos;
}

ErrorClass classify_failure(std::string_view words) {
  std::string text = lower_case(words);
  static constexpr std::array kRights{"unauthorized", "x509:", "certificate signed by unknown"};
  static constexpr std::array kUnreachable{"cluster unreachable", "connection refused",
                                           "no route to host"};
  static constexpr std::array kBusy{"another operation",     "i/o timeout",
                                    "tls handshake timeout", "connection reset",
                                    "unexpected eof",        "failed calling webhook",
                                    "etcdserver:",           "the server is currently unable",
                                    "too many requests",     "no matches for kind"};
  // Quota and admission say "is forbidden" too, yet no credentials will help there.
  bool lacks_permission =
      text.find("user \"") != std::string::npos && text.find(" cannot ") != std::string::npos;
  if (lacks_permission || has_any(text, kRights)) return ErrorClass::kAuthentication;
  if (has_any(text, kUnreachable)) return ErrorClass::kUnreachable;
  return has_any(text, kBusy) ? ErrorClass::kTransient : ErrorClass::kPermanent;
}

Task<engine::Tool> require_helm(engine::Context& context, const WantedRelease& wanted) {
  engine::ToolProbe probe;
  probe.args = {"version", "--template={{.Version}}"};
  probe.minimum = wanted.take_ownership ? kOldestForOwnership : kOldestHelm;
  probe.maximum_below = kTooNewHelm;
  co_return co_await context.tools().require("helm", probe);
}

Task<void> run_helm(engine::Context& context, engine::Tool helm, Target target,
                    std::vector<std::string> arguments, std::string what) {
  Command command = command_for(context, helm, target, std::move(arguments));
  command.on_line = context.output_lines();
  Exit exit = co_await run_at_home(context, std::move(command));
  if (exit.ok()) co_return;
  throw failure_of(exit, what);
}

}  // namespace blackstart::stages::helm
