#include "tests/bench/kube_set.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <functional>
#include <stdexcept>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::test {

namespace {

struct Template {
  const char* plural;
  const char* text;  // after metadata; INDEX stands for the object's number
};

constexpr size_t kObjectsPerFile = 1000;

constexpr Template kConfigMap{"configmaps", R"(apiVersion: v1
kind: ConfigMap
metadata: {name: cINDEX, labels: {app: bench, part: bench}}
data:
  index: "INDEX"
  application.properties: |
    server.address = 0.0.0.0
    server.port = 8080
    server.name = instance-INDEX.bench.example.internal
    database.url = postgres://database.bench.svc.cluster.local:5432/instance-INDEX
    database.pool.minimum = 2
    database.pool.maximum = 20
    log.level = info
    log.format = json
)"};

constexpr std::array kKinds{
    kConfigMap,
    Template{"secrets", R"(apiVersion: v1
kind: Secret
metadata: {name: sINDEX}
stringData: {user: bench, value: "value-INDEX"}
)"},
    Template{"serviceaccounts", R"(apiVersion: v1
kind: ServiceAccount
metadata: {name: aINDEX}
)"},
    Template{"services", R"(apiVersion: v1
kind: Service
metadata: {name: vINDEX}
spec:
  clusterIP: None
  selector: {app: bINDEX}
  ports: [{name: http, port: 80, protocol: TCP, targetPort: 8080}]
)"},
    Template{"deployments", R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: dINDEX, labels: {app: bINDEX}}
spec:
  replicas: 0
  selector: {matchLabels: {app: bINDEX}}
  template:
    metadata: {labels: {app: bINDEX}}
    spec:
      containers:
        - name: main
          image: example.org/bench:1.0
          env: [{name: INDEX_OF, value: "INDEX"}]
          ports: [{containerPort: 8080, protocol: TCP}]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
)"},
    Template{"cronjobs", R"(apiVersion: batch/v1
kind: CronJob
metadata: {name: jINDEX}
spec:
  suspend: true
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: "example.org/bench:1.0"}]
)"},
    Template{"roles", R"(apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: rINDEX}
rules: [{apiGroups: [""], resources: [pods, services], verbs: [get, list, watch]}]
)"},
    Template{"rolebindings", R"(apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bINDEX}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: rINDEX}
subjects: [{kind: ServiceAccount, name: aINDEX, namespace: default}]
)"},
    Template{"networkpolicies", R"(apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nINDEX}
spec:
  podSelector: {matchLabels: {app: bINDEX}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app: bench}}}]}]
)"},
    Template{"poddisruptionbudgets", R"(apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pINDEX}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: bINDEX}}}
)"},
};

std::string filled(std::string text, size_t index) {
  constexpr std::string_view kMark = "INDEX";
  const std::string number = std::to_string(index);
  for (size_t at = 0; (at = text.find(kMark, at)) != std::string::npos;)
    text.replace(at, kMark.size(), number);
  return text;
}

// What the program would send for it, byte for byte but for the order of keys.
std::string request_line(const std::string& yaml, const char* plural,
                         const std::string& name_space) {
  Diagnostics diagnostics;
  const kube::Manifests read = kube::read_manifests(yaml, "bench", diagnostics);
  if (diagnostics.has_errors() || read.size() != 1)
    throw std::runtime_error("not a manifest:\n" + yaml);
  const kube::ObjectRef ref = read[0].ref();
  boost::json::value body = kube::desired_form(read[0].object);
  body.at("metadata").as_object()["namespace"] = name_space;
  const kube::Resource resource{ref.api_version, ref.kind, plural, true};
  return kube::path_of(resource, name_space, ref.name) +
         "?fieldManager=blackstart&force=false&fieldValidation=Strict\t" +
         boost::json::serialize(body) + "\n";
}

using TemplateOf = std::function<Template(size_t)>;

// The set's files but its plan, in the folder NAMESPACE.
void write_files(const TemporaryFolder& folder, const std::string& name_space, size_t count,
                 const TemplateOf& template_of) {
  std::string requests;
  std::string manifests;
  for (size_t i = 0; i < count; ++i) {
    const Template one = template_of(i);
    const std::string yaml = filled(one.text, i);
    requests += request_line(yaml, one.plural, name_space);
    manifests += "---\n" + yaml;
    if ((i + 1) % kObjectsPerFile != 0 && i + 1 != count) continue;
    folder.write(name_space + "/manifests/" + std::to_string(i / kObjectsPerFile) + ".yaml",
                 manifests);
    manifests.clear();
  }
  folder.write(name_space + "/requests", requests);
}

// Linux counts the peak memory of who starts a program as the program's own (getrusage(2): exec
// keeps it). So that ours stays small, what takes much is done in a process of its own.
void in_a_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    [&work]() noexcept { work(); }();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("a set could not be written");
}

KubeSet write_set(const TemporaryFolder& folder, const std::string& kubeconfig,
                  const std::string& name_space, size_t count, const TemplateOf& template_of) {
  in_a_child([&] { write_files(folder, name_space, count, template_of); });
  const std::string plan =
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: bench}\n"
      "spec:\n  cluster: {kubeconfig: " +
      kubeconfig +
      "}\n  stages:\n"
      "    - name: set\n      uses: kube.manifests\n      with: {path: manifests, "
      "namespace: " +
      name_space + ", wait: false}\n";
  const std::string base = folder.path() + "/" + name_space;
  return {name_space, base + "/manifests", folder.write(name_space + "/plan.yaml", plan),
          base + "/requests"};
}

}  // namespace

KubeSet config_maps(const TemporaryFolder& folder, const std::string& kubeconfig,
                    const std::string& name_space, size_t count) {
  return write_set(folder, kubeconfig, name_space, count, [](size_t) { return kConfigMap; });
}

KubeSet mixed_set(const TemporaryFolder& folder, const std::string& kubeconfig,
                  const std::string& name_space, size_t count) {
  return write_set(folder, kubeconfig, name_space, count,
                   [](size_t i) { return kKinds[i % kKinds.size()]; });
}

}  // namespace blackstart::test
