#include "stages/argocd/components.h"

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;

// sun_path of a Unix socket holds 108 bytes, the closing zero included.
constexpr size_t kSocketPathLimit = 100;
constexpr const char* kLocal = "127.0.0.1";

std::string number(const HostSettings& settings, const char* port) {
  auto found = settings.ports.find(port);
  return std::to_string(found == settings.ports.end() ? 0 : found->second);
}

std::string local(const HostSettings& settings, const char* port) {
  return std::string(kLocal) + ":" + number(settings, port);
}

using Arguments = std::vector<std::string>;

Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Arguments cluster_arguments(const HostSettings& settings) {
  return {"--kubeconfig", kubeconfig_file(settings.folder),
          "--namespace",  settings.name_space,
          "--loglevel",   settings.log_level};
}

Component redis(const HostSettings& settings) {
  Component component{
      .name = "redis", .tool = "redis-server", .ports = {"redis"}, .needs_workload = false};
  component.arguments = {settings.folder + "/redis.conf"};
  return component;
}

Component repo_server(const HostSettings& settings) {
  Component component{.name = "repo-server", .tool = "argocd", .argv0 = "argocd-repo-server"};
  component.arguments = {"--redis",
                         local(settings, "redis"),
                         "--port",
                         number(settings, "repo-server"),
                         "--metrics-port",
                         number(settings, "repo-server-metrics"),
                         "--address",
                         kLocal,
                         "--metrics-address",
                         kLocal,
                         "--disable-tls",
                         "--loglevel",
                         settings.log_level};
  component.ports = {"repo-server", "repo-server-metrics"};
  component.health_port = "repo-server-metrics";
  return component;
}

Component server(const HostSettings& settings) {
  Component component{.name = "server", .tool = "argocd", .argv0 = "argocd-server"};
  component.arguments = cluster_arguments(settings) + Arguments{"--redis",
                                                                local(settings, "redis"),
                                                                "--repo-server",
                                                                local(settings, "repo-server"),
                                                                "--repo-server-plaintext",
                                                                "--insecure",
                                                                "--port",
                                                                number(settings, "server"),
                                                                "--metrics-port",
                                                                number(settings, "server-metrics"),
                                                                "--address",
                                                                kLocal,
                                                                "--metrics-address",
                                                                kLocal};
  component.cluster = settings.kubeconfig_digest;
  component.ports = {"server", "server-metrics"};
  component.health_port = "server";
  return component;
}

Component application_controller(const HostSettings& settings) {
  Component component{
      .name = "application-controller", .tool = "argocd", .argv0 = "argocd-application-controller"};
  component.arguments =
      cluster_arguments(settings) + Arguments{"--redis",
                                              local(settings, "redis"),
                                              "--repo-server",
                                              local(settings, "repo-server"),
                                              "--repo-server-plaintext",
                                              "--metrics-port",
                                              number(settings, "application-controller-metrics")};
  component.cluster = settings.kubeconfig_digest;
  component.ports = {"application-controller-metrics"};
  component.health_port = "application-controller-metrics";
  return component;
}

Component applicationset_controller(const HostSettings& settings) {
  Component component{.name = "applicationset-controller",
                      .tool = "argocd",
                      .argv0 = "argocd-applicationset-controller"};
  component.arguments =
      cluster_arguments(settings) + Arguments{"--argocd-repo-server",
                                              local(settings, "repo-server"),
                                              "--repo-server-plaintext",
                                              "--metrics-addr",
                                              local(settings, "applicationset-controller-metrics"),
                                              "--probe-addr",
                                              local(settings, "applicationset-controller-probe"),
                                              "--webhook-addr",
                                              local(settings, "applicationset-controller-webhook")};
  component.cluster = settings.kubeconfig_digest;
  component.ports = {"applicationset-controller-metrics", "applicationset-controller-probe",
                     "applicationset-controller-webhook"};
  component.health_port = "applicationset-controller-probe";
  component.needs_server_key = true;
  return component;
}

}  // namespace

std::string Component::digest() const {
  return sha256_hex(argv0 + '\n' + cluster + '\n' + join(arguments, "\n")).substr(0, 16);
}

std::vector<Component> components(const HostSettings& settings) {
  return {redis(settings), repo_server(settings), server(settings),
          application_controller(settings), applicationset_controller(settings)};
}

std::vector<std::string> component_names() {
  std::vector<std::string> names;
  for (const Component& component : components({})) names.push_back(component.name);
  return names;
}

std::vector<std::string> port_names() {
  std::vector<std::string> names;
  for (const Component& component : components({}))
    names.insert(names.end(), component.ports.begin(), component.ports.end());
  return names;
}

std::map<std::string, std::string> host_environment(const HostSettings& settings) {
  return {{"ARGOCD_FAKE_IN_CLUSTER",
           "true"},  // "https://kubernetes.default.svc" is the kubeconfig's cluster
          {"KUBECONFIG", kubeconfig_file(settings.folder)},
          {"ARGOCD_GPG_ENABLED", "false"},
          {"ARGOCD_TLS_DATA_PATH", settings.folder + "/tls"},
          {"ARGOCD_SSH_DATA_PATH", settings.folder + "/ssh"},
          {"ARGOCD_PLUGINCONFIGFILEPATH", settings.folder + "/plugin"},
          {"ARGOCD_PLUGINSOCKFILEPATH", settings.folder + "/plugin"},
          {"ARGOCD_ASK_PASS_SOCK", askpass_socket(settings.folder)},
          {"TMPDIR", settings.folder + "/tmp"},
          {"REDIS_PASSWORD", settings.redis_password}};
}

std::string kubeconfig_file(const std::string& folder) { return folder + "/kubeconfig"; }

std::string redis_configuration(const HostSettings& settings) {
  // A title would be written over its environment, where the mark is that it is found by.
  return "set-proc-title no\nbind 127.0.0.1\nport " + number(settings, "redis") + "\nrequirepass " +
         settings.redis_password + "\nsave \"\"\nappendonly no\ndaemonize no\ndir \"" +
         settings.folder + "/tmp\"\n";
}

std::string askpass_socket(const std::string& folder) {
  std::string path = folder + "/askpass.sock";
  return path.size() <= kSocketPathLimit
             ? path
             : "/tmp/blackstart-" + sha256_hex(folder).substr(0, 16) + ".sock";
}

std::map<std::string, std::string> workload_environment(
    const json::value& workload, const std::map<std::string, const json::value*>& config_maps) {
  std::map<std::string, std::string> environment;
  const auto& containers = kube::list_at(workload, {"spec", "template", "spec", "containers"});
  if (containers.empty()) return environment;
  for (const json::value& entry : kube::list_at(containers[0], {"env"})) {
    auto config_map =
        config_maps.find(kube::text_at(entry, {"valueFrom", "configMapKeyRef", "name"}));
    if (config_map == config_maps.end()) continue;
    std::string key = kube::text_at(entry, {"valueFrom", "configMapKeyRef", "key"});
    const json::value* value = kube::find(*config_map->second, {"data", key});
    if (value != nullptr && value->is_string())
      environment[kube::text_at(entry, {"name"})] = std::string(value->get_string());
  }
  return environment;
}

}  // namespace blackstart::stages::argocd
