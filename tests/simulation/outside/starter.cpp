#include "tests/simulation/outside/starter.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace blackstart::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUrl = "https://git.example.com/homelab.git";
constexpr const char* kChart = "/plan/infrastructure/argocd/chart/";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::map<std::string, std::string> read_starter() {
  std::map<std::string, std::string> files;
  fs::path folder = fs::path(SOURCE_FOLDER) / "plans/quickstart";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    std::string path = std::string(kRepository) + "/" + fs::relative(entry.path(), folder).string();
    files[path] = replaced(text.str(), kUrl, std::string("file://") + kRepository);
  }
  if (files.empty()) throw std::runtime_error("no starter in " + folder.string());
  return files;
}

std::string definition(const std::string& kind, const std::string& plural) {
  return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
         "metadata:\n  name: " +
         plural +
         ".argoproj.io\n"
         "  labels: {app.kubernetes.io/part-of: argocd}\n"
         "spec:\n  group: argoproj.io\n  scope: Namespaced\n"
         "  names: {kind: " +
         kind + ", listKind: " + kind + "List, plural: " + plural +
         "}\n"
         "  versions:\n    - name: v1alpha1\n      served: true\n      storage: true\n"
         "      schema:\n        openAPIV3Schema:\n          type: object\n"
         "          x-kubernetes-preserve-unknown-fields: true\n";
}

std::string head(const std::string& api_version, const std::string& kind, const std::string& name) {
  std::string component = name.substr(name.find('-') + 1);
  return "apiVersion: " + api_version + "\nkind: " + kind + "\nmetadata:\n  name: " + name +
         "\n  labels:\n    app.kubernetes.io/component: " + component +
         "\n    app.kubernetes.io/name: " + name + "\n    app.kubernetes.io/part-of: argocd\n";
}

std::string workload(const std::string& kind, const std::string& name) {
  return head("apps/v1", kind, name) +
         "spec:\n  selector:\n    matchLabels: {app.kubernetes.io/name: " + name +
         "}\n  template:\n    metadata:\n      labels: {app.kubernetes.io/name: " + name +
         "}\n    spec:\n      serviceAccountName: " + name +
         "\n      containers:\n        - name: main\n          image: "
         "quay.io/argoproj/argocd:v3.2.11\n"
         "          env:\n            - name: ARGOCD_RECONCILIATION_TIMEOUT\n"
         "              valueFrom:\n                configMapKeyRef:\n                  name: "
         "argocd-cm\n"
         "                  key: timeout.reconciliation\n                  optional: true\n";
}

void add_chart(SimFiles& files) {
  std::string folder = kChart;
  for (const auto& [kind, plural] :
       {std::pair("Application", "applications"), std::pair("ApplicationSet", "applicationsets"),
        std::pair("AppProject", "appprojects")})
    files.add(folder + "crds/" + plural + ".argoproj.io.yaml", definition(kind, plural));
  auto add = [&](const std::string& name, const std::string& text) {
    files.add(folder + "templates/" + name + ".yaml", text);
  };
  for (const char* name : {"argocd-server", "argocd-repo-server", "argocd-redis",
                           "argocd-applicationset-controller"}) {
    add("deployment-" + std::string(name), workload("Deployment", name));
    add("service-" + std::string(name),
        head("v1", "Service", name) + "spec:\n  ports: [{name: main, port: 80}]\n");
  }
  std::string controller = "argocd-application-controller";
  add("statefulset-" + controller, workload("StatefulSet", controller));
  for (const char* name : {"argocd-server", "argocd-application-controller"}) {
    add("serviceaccount-" + std::string(name), head("v1", "ServiceAccount", name));
    add("clusterrolebinding-" + std::string(name),
        head("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name) +
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + name +
            "}\nsubjects:\n  - {kind: ServiceAccount, name: " + name +
            ", namespace: {{ .Release.Namespace }}}\n");
  }
  add("configmap-argocd-cm", head("v1", "ConfigMap", "argocd-cm") +
                                 "data: {{- toYaml .Values.configs.cm | nindent 2 }}\n");
  add("configmap-argocd-rbac-cm", head("v1", "ConfigMap", "argocd-rbac-cm"));
  add("secret-argocd-secret", head("v1", "Secret", "argocd-secret") + "type: Opaque\n");
}

}  // namespace

void add_starter(SimFiles& files) {
  static const std::map<std::string, std::string> starter = read_starter();
  for (const auto& [path, text] : starter) files.add(path, text);
  add_chart(files);
}

}  // namespace blackstart::sim
