#include "orchestrator/kube/references.h"

#include <algorithm>
#include <boost/json/array.hpp>

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kMost = 12;

using Path = std::initializer_list<std::string_view>;

// Collects; what has no name is not referred to.
struct References {
  explicit References(const json::value& object_) : object(object_), own(ref_of(object_)) {}
  const json::value& object;
  ObjectRef own;
  std::vector<ObjectRef> found;

  void add(ObjectRef ref) {
    const bool known = std::ranges::find(found, ref) != found.end();
    if (!ref.name.empty() && !known && found.size() < kMost) found.push_back(std::move(ref));
  }
  void add_local(const char* api_version, const char* kind, const std::string& name) {
    add({api_version, kind, own.name_space, name});
  }
  void add_global(const char* api_version, const char* kind, const std::string& name) {
    add({api_version, kind, "", name});
  }
  // A ConfigMap or Secret, named by `key` in `from`, unless it may be missing.
  void add_data(const char* kind, const json::value& from, Path path, std::string_view key) {
    const json::value* source = find(from, path);
    if (source && !flag_at(*source, {"optional"})) add_local("v1", kind, text_at(*source, {key}));
  }
};

void of_container(References& all, const json::value& container) {
  for (const json::value& source : list_at(container, {"envFrom"})) {
    all.add_data("ConfigMap", source, {"configMapRef"}, "name");
    all.add_data("Secret", source, {"secretRef"}, "name");
  }
  for (const json::value& variable : list_at(container, {"env"})) {
    all.add_data("ConfigMap", variable, {"valueFrom", "configMapKeyRef"}, "name");
    all.add_data("Secret", variable, {"valueFrom", "secretKeyRef"}, "name");
  }
}

void of_pod(References& all) {
  for (const json::value& volume : list_at(all.object, {"spec", "volumes"})) {
    all.add_local("v1", "PersistentVolumeClaim",
                  text_at(volume, {"persistentVolumeClaim", "claimName"}));
    all.add_data("ConfigMap", volume, {"configMap"}, "name");
    all.add_data("Secret", volume, {"secret"}, "secretName");
  }
  for (const char* list : {"initContainers", "containers"}) {
    for (const json::value& container : list_at(all.object, {"spec", list}))
      of_container(all, container);
  }
}

void of_claim(References& all) {
  all.add_global("storage.k8s.io/v1", "StorageClass",
                 text_at(all.object, {"spec", "storageClassName"}));
}

void of_api_service(References& all) {
  all.add({"v1", "Service", text_at(all.object, {"spec", "service", "namespace"}),
           text_at(all.object, {"spec", "service", "name"})});
}

void of_ingress(References& all) {
  all.add_global("networking.k8s.io/v1", "IngressClass",
                 text_at(all.object, {"spec", "ingressClassName"}));
  all.add_local("v1", "Service",
                text_at(all.object, {"spec", "defaultBackend", "service", "name"}));
  for (const json::value& rule : list_at(all.object, {"spec", "rules"})) {
    for (const json::value& path : list_at(rule, {"http", "paths"}))
      all.add_local("v1", "Service", text_at(path, {"backend", "service", "name"}));
  }
}

void of_route(References& all) {
  for (const json::value& parent : list_at(all.object, {"spec", "parentRefs"})) {
    if (text_at(parent, {"kind"}, "Gateway") != "Gateway") continue;
    all.add({"gateway.networking.k8s.io/v1", "Gateway",
             text_at(parent, {"namespace"}, all.own.name_space), text_at(parent, {"name"})});
  }
  for (const json::value& rule : list_at(all.object, {"spec", "rules"})) {
    for (const json::value& backend : list_at(rule, {"backendRefs"})) {
      if (text_at(backend, {"kind"}, "Service") != "Service") continue;
      all.add({"v1", "Service", text_at(backend, {"namespace"}, all.own.name_space),
               text_at(backend, {"name"})});
    }
  }
}

void of_gateway(References& all) {
  all.add_global("gateway.networking.k8s.io/v1", "GatewayClass",
                 text_at(all.object, {"spec", "gatewayClassName"}));
  for (const json::value& listener : list_at(all.object, {"spec", "listeners"})) {
    for (const json::value& secret : list_at(listener, {"tls", "certificateRefs"}))
      all.add({"v1", "Secret", text_at(secret, {"namespace"}, all.own.name_space),
               text_at(secret, {"name"})});
  }
}

// One that may be of the cluster or of the namespace, as its kind says.
void of_namesake(References& all, Path path, const char* kind) {
  const json::value* ref = find(all.object, path);
  if (!ref) return;
  const std::string named = text_at(*ref, {"kind"}, kind);
  all.add({all.own.api_version, named, named.starts_with("Cluster") ? "" : all.own.name_space,
           text_at(*ref, {"name"})});
}

void of_certificate(References& all) {
  const std::string group = text_at(all.object, {"spec", "issuerRef", "group"}, "cert-manager.io");
  if (group == "cert-manager.io") of_namesake(all, {"spec", "issuerRef"}, "Issuer");
}

void of_external_secret(References& all) {
  of_namesake(all, {"spec", "secretStoreRef"}, "SecretStore");
}

void of_autoscaler(References& all) {
  all.add({text_at(all.object, {"spec", "scaleTargetRef", "apiVersion"}),
           text_at(all.object, {"spec", "scaleTargetRef", "kind"}), all.own.name_space,
           text_at(all.object, {"spec", "scaleTargetRef", "name"})});
}

void of_flow_schema(References& all) {
  all.add_global("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration",
                 text_at(all.object, {"spec", "priorityLevelConfiguration", "name"}));
}

struct Row {
  std::string_view group, kind;
  void (*collect)(References&);
};

constexpr Row kRows[] = {
    {"", "Pod", of_pod},
    {"", "PersistentVolumeClaim", of_claim},
    {"apiregistration.k8s.io", "APIService", of_api_service},
    {"autoscaling", "HorizontalPodAutoscaler", of_autoscaler},
    {"cert-manager.io", "Certificate", of_certificate},
    {"cert-manager.io", "CertificateRequest", of_certificate},
    {"external-secrets.io", "ExternalSecret", of_external_secret},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", of_flow_schema},
    {"gateway.networking.k8s.io", "GRPCRoute", of_route},
    {"gateway.networking.k8s.io", "Gateway", of_gateway},
    {"gateway.networking.k8s.io", "HTTPRoute", of_route},
    {"gateway.networking.k8s.io", "TCPRoute", of_route},
    {"gateway.networking.k8s.io", "TLSRoute", of_route},
    {"gateway.networking.k8s.io", "UDPRoute", of_route},
    {"networking.k8s.io", "Ingress", of_ingress},
};

}  // namespace

std::vector<ObjectRef> references_of(const json::value& object) {
  References all(object);
  for (const Row& row : kRows) {
    if (row.group == all.own.group() && row.kind == all.own.kind) row.collect(all);
  }
  return std::move(all.found);
}

}  // namespace blackstart::kube
