#include "stages/argocd/host_conditions.h"

#include "stages/target.h"

namespace blackstart::stages::argocd {
namespace {

constexpr const char* kWorkloadLabel = "app.kubernetes.io/part-of=argocd";

using Items = std::vector<const boost::json::value*>;

/// The component's Deployment or StatefulSet of the chart, or nullptr.
const boost::json::value* workload_of(const Component& component, const Items& workloads) {
  for (const boost::json::value* item : workloads) {
    if (kube::text_at(*item, {"metadata", "labels", "app.kubernetes.io/name"}) ==
        "argocd-" + component.name)
      return item;
  }
  return nullptr;
}

}  // namespace

Task<void> HostConditions::judge(engine::Context& context, HostStatus& status) {
  try {
    client_ = co_await connect(context);
    std::string name_space = context.text("namespace");
    std::vector<kube::Selection> selections{
        {"apps/v1", "Deployment", name_space, "", kWorkloadLabel},
        {"apps/v1", "StatefulSet", name_space, "", kWorkloadLabel},
        {"v1", "ConfigMap", name_space, "", kWorkloadLabel},
        {"v1", "Secret", name_space, "argocd-secret", ""}};
    co_await watches_.read(client_, selections);
    judge_components(name_space, status);
  } catch (const Error& error) {
    // Processes can be stopped without a cluster; to start them it is needed.
    if (error.error_class() != ErrorClass::kUnreachable) throw;
    status.trouble = error;
    for (ComponentStatus& one : status.components) one.waits_for = "the API server";
  }
}

void HostConditions::judge_components(const std::string& name_space, HostStatus& status) {
  auto items = [&](const char* api_version, const char* kind) {
    return watches_.items({api_version, kind, name_space, "", kWorkloadLabel});
  };
  Items workloads = items("apps/v1", "Deployment");
  Items stateful = items("apps/v1", "StatefulSet");
  workloads.insert(workloads.end(), stateful.begin(), stateful.end());
  std::map<std::string, const boost::json::value*> config_maps;
  for (const boost::json::value* item : items("v1", "ConfigMap"))
    config_maps[kube::text_at(*item, {"metadata", "name"})] = item;
  Items secrets = watches_.items({"v1", "Secret", name_space, "argocd-secret", ""});
  bool has_key = !secrets.empty() && kube::find(*secrets[0], {"data", "server.secretkey"});
  for (ComponentStatus& one : status.components) {
    const Component& component = one.component;
    if (const boost::json::value* workload = workload_of(component, workloads)) {
      environments_[component.name] = workload_environment(*workload, config_maps);
    } else if (component.needs_workload) {
      one.waits_for = "the chart's argocd-" + component.name + " in namespace " + name_space;
    }
    if (one.waits_for.empty() && component.needs_server_key && !has_key)
      one.waits_for =
          "argocd-server to write server.secretkey into Secret " + name_space + "/argocd-secret";
  }
}

std::map<std::string, std::string> HostConditions::environment(const std::string& component) const {
  auto found = environments_.find(component);
  return found == environments_.end() ? std::map<std::string, std::string>() : found->second;
}

std::optional<std::string> HostConditions::verified_context() const {
  return client_ ? std::optional(client_->endpoint().context) : std::nullopt;
}

}  // namespace blackstart::stages::argocd
