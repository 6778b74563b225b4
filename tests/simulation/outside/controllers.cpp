#include "tests/simulation/outside/controllers.h"

#include <boost/json/array.hpp>

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr Duration kSeen = std::chrono::milliseconds(50);
constexpr Duration kAvailable = std::chrono::milliseconds(400);
constexpr Duration kNodeReady = std::chrono::milliseconds(300);

json::object condition(const char* type, const char* reason) {
  return {{"type", type}, {"status", "True"}, {"reason", reason}};
}

json::object workload_status(const json::value& object, bool available) {
  int64_t wanted = kube::number_at(object, {"spec", "replicas"}, 1);
  json::object status{{"observedGeneration", kube::number_at(object, {"metadata", "generation"})},
                      {"replicas", wanted},
                      {"updatedReplicas", wanted},
                      {"currentRevision", "a"},
                      {"updateRevision", "a"}};
  if (!available) return status;
  status["readyReplicas"] = wanted;
  status["availableReplicas"] = wanted;
  status["conditions"] = json::array{condition("Available", "MinimumReplicasAvailable"),
                                     condition("Progressing", "NewReplicaSetAvailable")};
  return status;
}

bool is_current(ApiStore& store, const kube::ObjectRef& ref, int64_t generation) {
  const json::value* live = store.find(ref);
  return live && kube::number_at(*live, {"metadata", "generation"}) == generation;
}

void reconcile_workload(ApiStore& store, const json::value& object) {
  int64_t generation = kube::number_at(object, {"metadata", "generation"});
  if (kube::number_at(object, {"status", "observedGeneration"}) == generation) return;
  kube::ObjectRef ref = kube::ref_of(object);
  for (bool available : {false, true}) {
    store.later(available ? kAvailable : kSeen, [&store, ref, generation, available] {
      if (!is_current(store, ref, generation)) return;
      json::object status = workload_status(*store.find(ref), available);
      store.set_status(ref, std::move(status));
    });
  }
}

void reconcile_node(ApiStore& store, const json::value& object) {
  if (kube::find(object, {"status"})) return;
  kube::ObjectRef ref = kube::ref_of(object);
  store.later(kNodeReady, [&store, ref] {
    json::array conditions{condition("Ready", "KubeletReady")};
    store.set_status(ref, {{"conditions", std::move(conditions)}});
  });
}

}  // namespace

void add_controllers(ApiStore& store) {
  store.on_change.push_back([&store](const ApiEvent& event) {
    if (event.type == "DELETED") return;
    if (event.collection == "apps/deployments" || event.collection == "apps/statefulsets")
      reconcile_workload(store, event.object);
    if (event.collection == "/nodes") reconcile_node(store, event.object);
  });
}

}  // namespace blackstart::sim
