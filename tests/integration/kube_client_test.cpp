// The client on a real API server: identity, discovery, apply, compare, conflicts, definitions,
// errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>

#include "orchestrator/kube/api_error.h"
#include "orchestrator/kube/diagnosis.h"
#include "orchestrator/kube/manifest.h"
#include "tests/integration/real_cluster.h"

namespace blackstart::test {
namespace {

using kube::ObjectRef;
using kube::Presence;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class KubeClient : public OnRealCluster {};

// All that makes comparing hard: defaulted keys, normalised quantities, write-only fields, atomic
// and keyed lists, empty maps and lists, numbers that are strings elsewhere.
constexpr const char* kMixed = R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: map, labels: {app: web}}
data: {a: "1", b: "two\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: secret}
stringData: {user: admin}
data: {pass: c2VjcmV0}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, name: http}, {port: 443, name: https, targetPort: tls}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: null}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: nginx
        args: []
        ports: [{containerPort: 80}]
        env:
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: B, value: b}
        resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: "0.5"}}
      volumes: [{name: tmp, emptyDir: {}}]
status: {}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec:
  schedule: "0 0 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ingress}
spec: {rules: [{host: h, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
)";

std::vector<std::string> not_same(const std::vector<kube::ObjectState>& states) {
  std::vector<std::string> result;
  for (const auto& state : states) {
    if (state.presence == Presence::kSame) continue;
    std::string text =
        state.ref.kind + (state.presence == Presence::kAbsent ? " absent" : " differs");
    for (const std::string& field : state.fields) text += " " + field;
    result.push_back(text);
  }
  return result;
}

TEST_F(KubeClient, KnowsItsClusterByIdentityAndVersion) {
  const kube::Identity identity = result(client().identity());
  const Ran uid =
      cluster().kubectl({"get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"});
  EXPECT_EQ(identity.uid, uid.out);
  EXPECT_EQ(identity.ca_digest.size(), 64u);
  EXPECT_THAT(result(client().server_version()), testing::StartsWith("v1."));
  std::string reason;
  EXPECT_TRUE(result(client().is_ready(&reason))) << reason;
}

TEST_F(KubeClient, DiscoversWhatTheServerServes) {
  EXPECT_EQ(result(client().resource("apps/v1", "Deployment"))->plural, "deployments");
  EXPECT_FALSE(result(client().resource("v1", "Namespace"))->namespaced);
  EXPECT_FALSE(result(client().resource("x.io/v1", "Thing")));
  const Ran listed = cluster().kubectl({"api-resources", "--no-headers", "-o", "name"});
  const auto kinds = result(client().kinds());
  EXPECT_GE(kinds.resources.size(), static_cast<size_t>(std::ranges::count(listed.out, '\n')));
}

TEST_F(KubeClient, TellsNotFoundFromUnknownKind) {
  EXPECT_FALSE(result(client().get(config_map("nothing"))));
  EXPECT_FALSE(result(client().get(ObjectRef("x.io/v1", "Thing", name_space(), "t"))));
  EXPECT_FALSE(result(client().list("x.io/v1", "Thing", "")));
  EXPECT_FALSE(result(client().remove(config_map("nothing"))));
}

TEST_F(KubeClient, ApplyingTwiceChangesNothingAndComparingSaysSo) {
  const kube::Manifests set = read(kMixed);
  EXPECT_EQ(not_same(compare(set)).size(), set.size());
  apply(set);
  EXPECT_THAT(not_same(compare(set)), ElementsAre());
  std::vector<std::string> before, after;
  for (const auto& state : compare(set))
    before.push_back(kube::text_at(state.live, {"metadata", "resourceVersion"}));
  apply(set);
  for (const auto& state : compare(set))
    after.push_back(kube::text_at(state.live, {"metadata", "resourceVersion"}));
  // The Deployment's status is written by its controller meanwhile.
  before.erase(before.begin() + 3);
  after.erase(after.begin() + 3);
  EXPECT_EQ(before, after);
  const auto secret = live(ObjectRef("v1", "Secret", name_space(), "secret"));
  EXPECT_EQ(kube::text_at(secret, {"data", "user"}), "YWRtaW4=");
}

TEST_F(KubeClient, FindsEveryForeignWriteAndTakesItBack) {
  const kube::Manifests set = read(kMixed);
  apply(set);
  const std::vector<std::pair<std::vector<std::string>, const char*>> writes = {
      {{"patch", "configmap", "map", "--type=merge", "-p", R"({"data":{"a":"2"}})"},
       "ConfigMap differs .data.a"},
      {{"patch", "configmap", "map", "--type=merge", "-p", R"({"data":{"a":null}})"},
       "ConfigMap differs .data.a"},
      {{"patch", "configmap", "map", "--type=merge", "-p",
        R"({"metadata":{"labels":{"app":"x"}}})"},
       "ConfigMap differs .metadata.labels.app"},
      {{"patch", "service", "web", "--type=json", "-p",
        R"([{"op":"replace","path":"/spec/ports/1/targetPort","value":81}])"},
       "Service differs"},
      {{"scale", "deployment", "web", "--replicas=3"}, "Deployment differs .spec.replicas"},
      {{"delete", "role", "role"}, "Role absent"},
  };
  for (const auto& [command, expected] : writes) {
    std::vector<std::string> args = command;
    args.insert(args.end(), {"-n", name_space()});
    const Ran written = cluster().kubectl(args);
    ASSERT_EQ(written.code, 0) << written.all();
    EXPECT_THAT(not_same(compare(set)), ElementsAre(HasSubstr(expected)));
    apply(set, true);
    EXPECT_THAT(not_same(compare(set)), ElementsAre()) << expected;
  }
}

TEST_F(KubeClient, LeavesOtherManagersFieldsAlone) {
  const kube::Manifests set =
      read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {ours: x}\n");
  apply(set);
  cluster().kubectl({"patch", "configmap", "map", "-n", name_space(), "--type=merge", "-p",
                     R"({"data":{"theirs":"y"}})"});
  EXPECT_THAT(not_same(compare(set)), ElementsAre());
}

TEST_F(KubeClient, ADroppedFieldIsAChangeAndIsRemoved) {
  apply(read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: x, b: z}\n"));
  const kube::Manifests less =
      read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: x}\n");
  EXPECT_THAT(not_same(compare(less)), ElementsAre("ConfigMap differs .data.b"));
  apply(less);
  EXPECT_THAT(not_same(compare(less)), ElementsAre());
  EXPECT_EQ(kube::find(live(config_map("map")), {"data", "b"}), nullptr);
}

TEST_F(KubeClient, AConflictNamesFieldAndManager) {
  const std::string theirs =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: theirs}\n";
  const Ran applied = cluster().kubectl(
      {"apply", "--server-side", "--field-manager=helm", "-n", name_space(), "-f", "-"}, theirs);
  ASSERT_EQ(applied.code, 0) << applied.all();
  const kube::Manifests ours =
      read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: ours}\n");
  EXPECT_THAT(not_same(compare(ours)), ElementsAre("ConfigMap differs .data.a"));
  try {
    apply(ours);
    FAIL() << "the conflict was not noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kConflict);
    EXPECT_EQ(error.full_text(),
              "cannot apply ConfigMap " + name_space() + "/map: .data.a is owned by \"helm\"");
    EXPECT_THAT(error.hint(), HasSubstr("force"));
  }
  apply(ours, true);
  EXPECT_EQ(kube::text_at(live(config_map("map")), {"data", "a"}), "ours");
}

std::string definition(const std::string& plural, const std::string& kind) {
  return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " +
         plural +
         ".tests.blackstart.dev}\nspec:\n  group: tests.blackstart.dev\n  scope: Namespaced\n  "
         "names: {plural: " +
         plural + ", kind: " + kind +
         "}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema: "
         "{openAPIV3Schema: "
         "{type: object, x-kubernetes-preserve-unknown-fields: true}}\n";
}

TEST_F(KubeClient, AppliesDefinitionsAndTheirObjectsInOneSet) {
  std::string text;
  for (int i = 0; i < 5; ++i) {
    const std::string kind = "Thing" + std::to_string(i),
                      plural = "thing" + std::to_string(i) + "s";
    text += "---\napiVersion: tests.blackstart.dev/v1\nkind: " + kind +
            "\nmetadata: {name: one}\nspec: {a: [1, {b: 2.0}]}\n---\n" + definition(plural, kind);
  }
  const kube::Manifests set = read(text);
  apply(set);
  EXPECT_THAT(not_same(compare(set)), ElementsAre());
  EXPECT_TRUE(
      live(ObjectRef("tests.blackstart.dev/v1", "Thing3", name_space(), "one")).is_object());
  kube::Manifests seen;
  for (const auto& state : compare(set)) seen.push_back({state.live, {}});
  run(kube::remove_set(client(), seen));
  EXPECT_EQ(not_same(compare(set)).size(), set.size());
}

TEST_F(KubeClient, RemovesTheOneThatWasSeenAndNoLaterOne) {
  const kube::Manifests set = read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n");
  apply(set);
  const kube::Manifests seen{{live(config_map("map")), {}}};
  const std::string first = kube::text_at(seen[0].object, {"metadata", "uid"});
  const Ran gone = cluster().kubectl({"delete", "configmap", "map", "-n", name_space()});
  ASSERT_EQ(gone.code, 0) << gone.all();
  apply(set);
  run(kube::remove_set(client(), seen));
  ASSERT_TRUE(live(config_map("map")).is_object());
  const std::string second = kube::text_at(live(config_map("map")), {"metadata", "uid"});
  EXPECT_FALSE(result(client().remove(config_map("map"), first)));
  EXPECT_TRUE(result(client().remove(config_map("map"), second)));
  EXPECT_TRUE(live(config_map("map")).is_null());
}

TEST_F(KubeClient, AppliesArgoCdsLargeDefinitions) {
  const std::string folder =
      std::filesystem::path(parts_folder()).parent_path().string() + "/share/argo-cd/crds";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "NOT RUN: " << folder << " is not there";
  kube::Manifests set;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    for (auto& one : read(read_file(file.path()))) set.push_back(std::move(one));
  }
  apply(set);
  EXPECT_THAT(not_same(compare(set)), ElementsAre());
  const auto crd = live(ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
                                  "applicationsets.argoproj.io"));
  ASSERT_TRUE(crd.is_object());
  EXPECT_EQ(kube::find(crd, {"metadata", "annotations",
                             "kubectl.kubernetes.io/last-applied-configuration"}),
            nullptr);
}

TEST_F(KubeClient, ReportsEveryRefusedObjectOfALayer) {
  try {
    apply(
        read("apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: "
             "99999}]}\n---\n"
             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n---\n"
             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name}\n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.summary(), "2 of 3 objects could not be applied");
    EXPECT_THAT(error.causes(), Contains(HasSubstr("spec.ports[0].port: Invalid value: 99999")));
    EXPECT_THAT(error.causes(), Contains(HasSubstr("(test.yaml:10:1)")));
  }
  EXPECT_TRUE(live(config_map("good")).is_object());
}

TEST_F(KubeClient, RefusesAtOnceWhatDoesNotFitItsSchema) {
  const std::pair<const char*, const char*> texts[] = {
      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: 1}\n",
       ".data.a: expected string"},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {prots: []}\n", "prots"},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{name: a, port: 1}, "
       "{name: b, port: 1}]}\n",
       "duplicate"}};
  for (const auto& [text, words] : texts) {
    try {
      apply(read(text));
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kPermanent) << error.full_text();
      EXPECT_THAT(error.full_text(), HasSubstr(words));
      EXPECT_THAT(error.full_text(), testing::Not(HasSubstr("tried")));
    }
  }
}

TEST_F(KubeClient, SaysWhichPermissionIsMissing) {
  cluster().kubectl({"create", "serviceaccount", "weak", "-n", name_space()});
  const Ran token = cluster().kubectl({"create", "token", "weak", "-n", name_space()});
  ASSERT_EQ(token.code, 0) << token.all();
  kube::Endpoint endpoint = client().endpoint();
  auto tls = std::make_shared<TlsIdentity>(*endpoint.tls);
  tls->certificate.clear();
  tls->key.clear();
  endpoint.tls = tls;
  endpoint.token = token.out;
  kube::Client weak(client().world(), endpoint);
  try {
    result(weak.list("v1", "ConfigMap", name_space()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_THAT(error.full_text(), HasSubstr("cannot list resource \"configmaps\""));
  }
  endpoint.token = "nonsense";
  kube::Client unknown(client().world(), endpoint);
  EXPECT_THROW(result(unknown.get(config_map("x"))), Error);
}

TEST_F(KubeClient, DoesNotTrustAnotherCa) {
  kube::Endpoint endpoint = client().endpoint();
  auto tls = std::make_shared<TlsIdentity>(*endpoint.tls);
  tls->ca.clear();
  endpoint.tls = tls;
  kube::Client stranger(client().world(), endpoint);
  try {
    result(stranger.identity());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication) << error.full_text();
    EXPECT_THAT(error.hint(), HasSubstr("CA"));
  }
}

TEST_F(KubeClient, AppliesManyObjectsAndComparesThemWithOneList) {
  std::string text;
  for (int i = 0; i < 600; ++i)
    text += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m" + std::to_string(i) +
            "}\ndata: {n: '" + std::to_string(i) + "'}\n";
  const kube::Manifests set = read(text);
  apply(set);
  EXPECT_THAT(not_same(compare(set)), ElementsAre());
  const auto list = result(client().list("v1", "ConfigMap", name_space()));  // more than one page
  EXPECT_GE(list->items.size(), 600u);
  EXPECT_EQ(kube::text_at(list->items.back(), {"kind"}), "ConfigMap");
}

TEST_F(KubeClient, DiagnosesPodsThatCannotBeScheduled) {
  const kube::Manifests set = read(kMixed);
  apply(set);
  const ObjectRef ref("apps/v1", "Deployment", name_space(), "web");
  kube::Diagnosis found;
  const bool explained = eventually(
      [&] {
        found = result(kube::diagnose(client(), live(ref)));
        return found.sentence().find("cannot be scheduled") != std::string::npos &&
               found.chain[0].find("0 of 1 replica is available") != std::string::npos;
      },
      std::chrono::seconds(30));
  EXPECT_TRUE(explained) << found.sentence();
  ASSERT_EQ(found.chain.size(), 3u) << found.sentence();
  EXPECT_THAT(found.chain[0],
              HasSubstr("Deployment " + name_space() + "/web: 0 of 1 replica is available"));
  EXPECT_THAT(found.details, Contains(HasSubstr("FailedScheduling")));
}

}  // namespace
}  // namespace blackstart::test
