#include "orchestrator/kube/field_place.h"

#include <gtest/gtest.h>

#include "orchestrator/kube/manifest.h"
#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

constexpr const char* kFile = R"(# two objects
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: first}
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
    labels: {app.kubernetes.io/name: 1}
  spec:
    replicsa: 1
    ports:
    - name: a
    - {name: b, port: 80}
    template:
      spec:
        containers:
        - name: main
          env:
          - {name: A, value: 1}
)";

struct Row {
  const char* message;
  const char* place;
};

constexpr Row kRows[] = {
    {"failed to create typed patch object (a/web; apps/v1, Kind=Deployment): .spec.replicsa: field "
     "not declared in schema",
     "/m.yaml:14:5"},
    {"errors:\n  .spec.nothing: field not declared in schema\n  .spec.replicsa: the same",
     "/m.yaml:13:3"},
    {".metadata.labels.app.kubernetes.io/name: expected string, got &value.valueUnstructured{1}",
     "/m.yaml:12:14"},
    {"Deployment.apps \"web\" is invalid: [spec.ports[0].port: Required value, spec.x: no]",
     "/m.yaml:16:7"},
    {"spec.ports[1].port: Invalid value: 80", "/m.yaml:17:17"},
    {".spec.template.spec.containers[name=\"main\"].env[name=\"A\"].value: expected string",
     "/m.yaml:23:23"},
    {"strict decoding error: unknown field \"spec.template.spec.containers[0].env[0].value\"",
     "/m.yaml:23:23"},
    {"json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
     "/m.yaml:12:5"},
    {"spec.template.spec.containers[9].image: Required value", "/m.yaml:20:9"},
    {"the server is not in the mood: sorry", "/m.yaml:8:3"},
    {"admission webhook \"spec.example.com\" denied the request", "/m.yaml:8:3"},
    {"", "/m.yaml:8:3"},
};

TEST(FieldPlace, IsThatOfTheFieldThatTheServerNames) {
  ScriptedWorld scripted;
  scripted.files.content["/m.yaml"] = kFile;
  Diagnostics none;
  const Manifests manifests = load_manifests(scripted.files, "/m.yaml", none);
  ASSERT_EQ(manifests.size(), 2u);
  for (const Row& row : kRows)
    EXPECT_EQ(place_of_field(scripted.files, manifests[1], row.message).to_string(), row.place)
        << row.message;
}

TEST(FieldPlace, IsTheObjectsOwnWhenTheFileIsGoneOrWasNone) {
  ScriptedWorld scripted;
  Diagnostics none;
  for (const char* file : {"/gone.yaml", "chart web 1.0.0"}) {
    const Manifests manifests = read_manifests(kFile, file, none);
    EXPECT_EQ(place_of_field(scripted.files, manifests[1], ".spec.replicsa: no").to_string(),
              std::string(file) + ":8:3");
  }
}

}  // namespace
}  // namespace blackstart::kube
