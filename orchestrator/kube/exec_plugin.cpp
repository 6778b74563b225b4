#include "orchestrator/kube/exec_plugin.h"

#include <time.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include "orchestrator/base/epoch.h"
#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/kube/json.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/world/async.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr Duration kLongest = std::chrono::seconds(60);
constexpr Duration kGrace = std::chrono::seconds(2);
constexpr size_t kOutputLimit = 1u << 20;
constexpr size_t kLastLines = 5;
constexpr const char* kUsualPath = "/usr/local/bin:/usr/bin:/bin";

Error failure(const ExecPlugin& plugin, const std::string& why) {
  return Error(ErrorClass::kAuthentication,
               "no credentials from the exec plugin \"" + plugin.command + "\"")
      .at(plugin.place)
      .because(why);
}

Error not_found(const ExecPlugin& plugin, const std::string& why) {
  return failure(plugin, why)
      .hint(plugin.install_hint)
      .hint("install it, or use a kubeconfig with a client certificate or a token");
}

// As a shell finds it; a path is taken as it is.
std::string program_of(const World& world, const ExecPlugin& plugin) {
  if (plugin.command.starts_with('/')) {
    if (world.files.executable(plugin.command)) return plugin.command;
    throw not_found(plugin, "there is no such program");
  }
  const std::string path = world.environment.get("PATH").value_or(kUsualPath);
  if (auto found = find_program(world.files, split(path, ':'), plugin.command)) return *found;
  throw not_found(plugin, "it is in none of the folders of PATH, " + path);
}

std::string exec_info(const ExecPlugin& plugin, json::value cluster) {
  json::object spec{{"interactive", false}};
  if (plugin.provide_cluster_info) spec["cluster"] = std::move(cluster);
  return json::serialize(json::object{
      {"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
}

Command command_of(const World& world, const ExecPlugin& plugin, json::value cluster) {
  Command command;
  command.program = program_of(world, plugin);
  command.argv0 = plugin.command;
  command.args = plugin.args;
  command.environment = world.environment.all();
  for (const auto& [name, value] : plugin.environment) command.environment[name] = value;
  command.environment["KUBERNETES_EXEC_INFO"] = exec_info(plugin, std::move(cluster));
  command.output_limit = kOutputLimit;
  command.grace = kGrace;
  return command;
}

Task<Exit> run_bounded(World& world, const ExecPlugin& plugin, Command command) {
  const std::string what =
      "exec plugin \"" + plugin.command + "\" gave no answer within " + format_duration(kLongest);
  try {
    co_return co_await within(world.clock, world.clock.now() + kLongest, what,
                              world.processes.run(std::move(command)));
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    throw failure(plugin, error.full_text());
  }
}

// RFC 3339, as metav1.Time reads it: "2026-01-02T03:04:05Z", with a fraction or an offset too.
std::optional<WallTime> parse_time(const std::string& text) {
  tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return std::nullopt;
  if (*rest == '.') rest += 1 + strspn(rest + 1, "0123456789");
  const time_t local = timegm(&parts);
  if (std::string_view(rest) == "Z") return time_of_epoch(local);
  int hours = 0, minutes = 0, length = 0;
  const char sign = *rest;
  const bool offset = sscanf(rest, "%*1[+-]%2d:%2d%n", &hours, &minutes, &length) == 2;
  if (!offset || rest[length] != '\0') return std::nullopt;
  const time_t east = (hours * 60 + minutes) * 60;
  return time_of_epoch(sign == '+' ? local - east : local + east);
}

json::value parse_answer(const ExecPlugin& plugin, const Exit& exit) {
  if (exit.truncated)
    throw failure(plugin, "its answer is longer than " + std::to_string(kOutputLimit) + " bytes");
  try {
    return parse_json(exit.out);
  } catch (const boost::system::system_error& error) {
    throw failure(plugin, "its answer is no JSON: " + error.code().message());
  }
}

void check_kind(const ExecPlugin& plugin, const json::value& answer) {
  const std::string kind = text_at(answer, {"kind"});
  const std::string api_version = text_at(answer, {"apiVersion"});
  if (kind == "ExecCredential" && api_version == plugin.api_version) return;
  throw failure(plugin, "its answer is \"" + kind + "\" of \"" + api_version + "\"")
      .because("the kubeconfig says ExecCredential of \"" + plugin.api_version + "\"")
      .hint("correct exec.apiVersion in the kubeconfig, or use a newer version of the plugin");
}

ExecCredential credential_in(const ExecPlugin& plugin, const json::value& answer) {
  ExecCredential made;
  made.token = text_at(answer, {"status", "token"});
  made.certificate = text_at(answer, {"status", "clientCertificateData"});
  made.key = text_at(answer, {"status", "clientKeyData"});
  if (made.certificate.empty() != made.key.empty())
    throw failure(plugin, "it gave a certificate or a key, not both");
  if (made.token.empty() && made.key.empty())
    throw failure(plugin, "its answer holds neither a token nor a certificate and key");
  const std::string expires = text_at(answer, {"status", "expirationTimestamp"});
  constexpr const char* kNever = "0001-01-01T00:00:00Z";  // Go's zero time, as client-go takes it
  if (expires.empty() || expires == kNever) return made;
  made.expires = parse_time(expires);
  if (!made.expires)
    throw failure(plugin, "its expirationTimestamp is no time of RFC 3339: " + expires);
  return made;
}

}  // namespace

Task<ExecCredential> run_exec_plugin(World& world, const ExecPlugin& plugin, json::value cluster,
                                     std::function<void(std::string_view)> on_secret) {
  Command command = command_of(world, plugin, std::move(cluster));
  const Exit exit = co_await run_bounded(world, plugin, std::move(command));
  if (!exit.ok()) {
    Error error = failure(plugin, "it ended with " + exit.describe());
    // Of stdout nothing is shown: that is where credentials go.
    Exit shown = exit;
    shown.out.clear();
    for (const std::string& line : shown.last_lines(kLastLines)) error.because(line);
    throw error.hint(
        "run it by hand, as the kubeconfig's exec entry has it, and look what it says");
  }
  const json::value answer = parse_answer(plugin, exit);
  for (const char* secret : {"token", "clientKeyData"}) {
    if (on_secret) on_secret(text_at(answer, {"status", secret}));
  }
  check_kind(plugin, answer);
  co_return credential_in(plugin, answer);
}

}  // namespace blackstart::kube
