#include "tests/integration/layered_plan.h"

namespace blackstart::test {

namespace {

constexpr int kNamespaces = 8;
constexpr int kMapsEach = 7;  // of each namespace
constexpr int kSecretsEach = 3;
constexpr int kWorkloadsEach = 4;
constexpr int kThingsEach = 3;

std::string name_space(int number) { return "layer-" + std::to_string(number); }

std::string head(const std::string& api_version, const std::string& kind, const std::string& name,
                 const std::string& in) {
  return "---\napiVersion: " + api_version + "\nkind: " + kind + "\nmetadata:\n  name: " + name +
         "\n  labels: {app.kubernetes.io/part-of: layers}\n" +
         (in.empty() ? "" : "  namespace: " + in + "\n");
}

std::string namespaces() {
  std::string text;
  for (int i = 0; i < kNamespaces; ++i) text += head("v1", "Namespace", name_space(i), "");
  return text;
}

std::string definition(const std::string& kind, const std::string& plural) {
  return head("apiextensions.k8s.io/v1", "CustomResourceDefinition",
              plural + ".layers.blackstart.dev", "") +
         "spec:\n  group: layers.blackstart.dev\n  scope: Namespaced\n"
         "  names: {kind: " +
         kind + ", plural: " + plural +
         "}\n"
         "  versions:\n    - name: v1\n      served: true\n      storage: true\n"
         "      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, "
         "properties: "
         "{size: {type: integer}}}}}}\n";
}

template <class Text>
std::string in_each_namespace(int count, Text text) {
  std::string all;
  for (int i = 0; i < kNamespaces; ++i)
    for (int j = 0; j < count; ++j) all += text(name_space(i), std::to_string(j));
  return all;
}

std::string access(const std::string& in, const std::string&) {
  return head("v1", "ServiceAccount", "web", in) +
         head("rbac.authorization.k8s.io/v1", "Role", "web", in) +
         "rules: [{apiGroups: [\"\"], resources: [pods], verbs: [get, list]}]\n" +
         head("rbac.authorization.k8s.io/v1", "RoleBinding", "web", in) +
         "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}\n"
         "subjects: [{kind: ServiceAccount, name: web, namespace: " +
         in + "}]\n";
}

std::string settings() {
  return in_each_namespace(kMapsEach,
                           [](const std::string& in, const std::string& number) {
                             return head("v1", "ConfigMap", "settings-" + number, in) +
                                    "data: {number: \"" + number + "\"}\n";
                           }) +
         in_each_namespace(kSecretsEach, [](const std::string& in, const std::string& number) {
           return head("v1", "Secret", "secret-" + number, in) + "stringData: {number: \"" +
                  number + "\"}\n";
         });
}

// The first of each namespace has a pod, which a simulated node runs.
std::string workload(const std::string& in, const std::string& number) {
  const std::string name = "web-" + number;
  const std::string labels = "{app: " + name + "}";
  return head("apps/v1", "Deployment", name, in) +
         "spec:\n  replicas: " + (number == "0" ? "1" : "0") +
         "\n  selector: {matchLabels: " + labels +
         "}\n  template:\n    metadata: {labels: " + labels +
         "}\n    spec: {containers: [{name: main, image: example.org/web, ports: [{containerPort: "
         "80}]}]}\n" +
         head("v1", "Service", name, in) + "spec: {selector: " + labels +
         ", ports: [{port: 80}]}\n";
}

std::string thing(const std::string& in, const std::string& number) {
  const bool shelf = number == "0";
  return head("layers.blackstart.dev/v1", shelf ? "Shelf" : "Shop", "thing-" + number, in) +
         "spec: {size: " + number + "}\n";
}

std::string stage(const std::string& name, const std::string& needs, const std::string& with,
                  const std::string& uses = "kube.manifests") {
  return "    - name: " + name + "\n      uses: " + uses + "\n" +
         (needs.empty() ? "" : "      needs: [" + needs + "]\n") + "      with: " + with + "\n";
}

}  // namespace

void write_layered_plan(Rehearsal& rehearsal, const std::string& kubeconfig) {
  rehearsal.use_cluster(kubeconfig);
  rehearsal.write("namespaces.yaml", namespaces());
  rehearsal.write("definitions.yaml", definition("Shop", "shops") + definition("Shelf", "shelves"));
  rehearsal.write("access.yaml", in_each_namespace(1, access));
  rehearsal.write("settings.yaml", settings());
  rehearsal.write("workloads.yaml", in_each_namespace(kWorkloadsEach, workload));
  rehearsal.write("things.yaml", in_each_namespace(kThingsEach, thing));
  rehearsal.write(
      "plan.yaml",
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: layers}\nspec:\n"
      "  cluster: {kubeconfig: " +
          kubeconfig + "}\n  stages:\n" + stage("namespaces", "", "{path: namespaces.yaml}") +
          stage("definitions", "namespaces", "{sources: [{path: definitions.yaml}]}", "kube.crds") +
          stage("access", "definitions", "{path: access.yaml}") +
          stage("settings", "access", "{path: settings.yaml}") +
          stage("workloads", "settings", "{path: workloads.yaml}") +
          stage("things", "workloads", "{path: things.yaml}"));
}

}  // namespace blackstart::test
