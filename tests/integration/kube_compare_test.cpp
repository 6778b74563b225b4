// What compare() says against what the server does: never "same" where an apply would change
// something.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tests/integration/real_cluster.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;
using kube::ObjectRef;
using kube::Presence;

class KubeCompare : public OnRealCluster {};

constexpr const char* kDeployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {app: web}, annotations: {note: "1"}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: nginx
        command: [a, b]
        ports: [{containerPort: 80, protocol: TCP}, {containerPort: 81}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        resources: {limits: {cpu: "1"}}
        securityContext: {capabilities: {add: [NET_ADMIN]}}
      - {name: side, image: envoy}
      volumes: [{name: tmp, emptyDir: {}}, {name: cfg, configMap: {name: c}}]
      tolerations: [{key: k, operator: Exists}]
)";

struct Edit {
  const char* name;
  std::function<void(json::value&)> edit;
};

json::value& pod(json::value& object) { return object.at("spec").at("template").at("spec"); }
json::value& container(json::value& object, size_t index) {
  return pod(object).at("containers").at(index);
}
json::object& fields(json::value& value) { return value.as_object(); }

const Edit kEdits[] = {
    {"nothing", [](json::value&) {}},
    {"quantity written otherwise",
     [](auto& o) { container(o, 0).at("resources").at("limits").at("cpu") = "1000m"; }},
    {"quantity as a number",
     [](auto& o) { container(o, 0).at("resources").at("limits").at("cpu") = 1; }},
    {"quantity changed",
     [](auto& o) { container(o, 0).at("resources").at("limits").at("cpu") = "2"; }},
    {"key default left out",
     [](auto& o) { fields(container(o, 0).at("ports").at(0)).erase("protocol"); }},
    {"key default written",
     [](auto& o) { fields(container(o, 0).at("ports").at(1))["protocol"] = "TCP"; }},
    {"key changed", [](auto& o) { container(o, 0).at("ports").at(0).at("protocol") = "UDP"; }},
    {"default written", [](auto& o) { fields(pod(o))["restartPolicy"] = "Always"; }},
    {"default changed", [](auto& o) { fields(pod(o))["terminationGracePeriodSeconds"] = 5; }},
    {"integer as a float", [](auto& o) { o.at("spec").at("replicas") = 0.0; }},
    {"label added", [](auto& o) { fields(o.at("metadata").at("labels"))["new"] = "x"; }},
    {"label dropped", [](auto& o) { fields(o.at("metadata").at("labels")).erase("app"); }},
    {"labels dropped", [](auto& o) { fields(o.at("metadata")).erase("labels"); }},
    {"annotation changed", [](auto& o) { o.at("metadata").at("annotations").at("note") = "2"; }},
    {"atomic list in another order",
     [](auto& o) {
       std::swap(container(o, 0).at("command").at(0), container(o, 0).at("command").at(1));
     }},
    {"keyed list in another order",
     [](auto& o) { std::swap(container(o, 0).at("env").at(0), container(o, 0).at("env").at(1)); }},
    {"containers in another order", [](auto& o) { std::swap(container(o, 0), container(o, 1)); }},
    {"item dropped", [](auto& o) { pod(o).at("containers").as_array().pop_back(); }},
    {"item added",
     [](auto& o) {
       container(o, 0).at("env").as_array().push_back(json::object{{"name", "C"}, {"value", "3"}});
     }},
    {"list emptied", [](auto& o) { container(o, 0).at("env") = json::array(); }},
    {"list dropped", [](auto& o) { fields(container(o, 0)).erase("env"); }},
    {"empty list added", [](auto& o) { fields(container(o, 1))["args"] = json::array(); }},
    {"empty map added", [](auto& o) { fields(container(o, 1))["resources"] = json::object(); }},
    {"empty map filled",
     [](auto& o) {
       pod(o).at("volumes").at(0).at("emptyDir") = json::object{{"medium", "Memory"}};
     }},
    {"one union member for another",
     [](auto& o) {
       fields(pod(o).at("volumes").at(1)).erase("configMap");
       fields(pod(o).at("volumes").at(1))["emptyDir"] = json::object();
     }},
    {"null value", [](auto& o) { fields(pod(o))["nodeSelector"] = nullptr; }},
    {"scalar dropped", [](auto& o) { fields(o.at("spec")).erase("replicas"); }},
    {"nested set changed",
     [](auto& o) {
       container(o, 0)
           .at("securityContext")
           .at("capabilities")
           .at("add")
           .as_array()
           .push_back("SYS_TIME");
     }},
    {"status written",
     [](auto& o) {
       fields(o)["status"] = json::object{{"replicas", 7}};
     }},
    {"managed fields written",
     [](auto& o) { fields(o.at("metadata"))["managedFields"] = json::array(); }},
    {"old uid and version",
     [](auto& o) {
       fields(o.at("metadata"))["uid"] = "11111111-1111-1111-1111-111111111111";
       fields(o.at("metadata"))["resourceVersion"] = "1";
     }},
};

// Ownership and values, without what is written by others or moves by itself.
std::string stored(const json::value& object) {
  std::string text = kube::text_at(object, {"metadata", "resourceVersion"});
  return text;
}

TEST_F(KubeCompare, AgreesWithTheServerOnEveryEdit) {
  size_t number = 0;
  for (const Edit& edit : kEdits) {
    SCOPED_TRACE(edit.name);
    std::string text = kDeployment;
    text.replace(text.find("NAME"), 4, "d" + std::to_string(++number));
    kube::Manifests set = read(text);
    apply(set);
    const ObjectRef ref("apps/v1", "Deployment", name_space(), set[0].ref().name);
    // Its controller writes the status once; from then on nothing moves but by us.
    ASSERT_TRUE(eventually(
        [&] {
          return kube::number_at(live(ref), {"status", "observedGeneration"}) == 1;
        },
        std::chrono::seconds(20)));
    edit.edit(set[0].object);
    const Presence said = compare(set)[0].presence;
    const std::string before = stored(live(ref));
    kube::Client::ApplyOptions options;
    kube::Manifests named = result(kube::with_namespace(client(), set, name_space()));
    const json::value after = result(client().apply(named[0].object, options));
    const bool changed = stored(after) != before;
    EXPECT_EQ(said, changed ? Presence::kDiffers : Presence::kSame);
    EXPECT_EQ(compare(set)[0].presence, Presence::kSame) << "after the apply";
  }
}

}  // namespace
}  // namespace blackstart::test
