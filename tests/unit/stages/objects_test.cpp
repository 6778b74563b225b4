// Sets of objects: kube.manifests, kube.namespace and what they share.
#include "stages/kube/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kTwo = R"(namespace: web
inline:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: "1"}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: two}, data: {a: "1"}})";

constexpr const char* kDeployment = R"(namespace: web
inline:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: app}
    spec: {replicas: 2, selector: {matchLabels: {a: b}}})";

const std::string kOne = "/api/v1/namespaces/web/configmaps/one";

Task<HttpResponse> answer_now(HttpResponse response) { co_return response; }

/// A stage, its `with`, and a file that it names.
struct Named {
  const char* uses;
  const char* with;
  const char* file;
};

constexpr Named kNamed[] = {
    {"kube.secret", "{name: a, namespace: b, data: {k: {fromFile: f}}}", "/p/f"},
    {"kube.manifests", "{path: f.yaml}", "/p/f.yaml"},
    {"kube.manifests", "{path: d}", "/p/d/e/f.yaml"},
    {"kube.manifests", "{kustomize: d}", "/p/d/kustomization.yaml"},
    {"kube.manifests", "{chart: {path: c}, values: [v.yaml]}", "/p/v.yaml"},
    {"kube.crds", "{sources: [{path: d}]}", "/p/d/f.yaml"},
    {"kube.crds", "{sources: [{chart: {path: c}}]}", "/p/c/crds/f.yaml"},
    {"helm.release", "{release: a, namespace: b, chart: {path: c}}", "/p/c/templates/f.yaml"},
    {"helm.release", "{release: a, namespace: b, chart: {path: c}, values: [v.yaml]}", "/p/v.yaml"},
    {"argocd.app", "{file: f.yaml}", "/p/f.yaml"},
    {"argocd.project", "{file: f.yaml}", "/p/f.yaml"},
    {"argocd.repository", "{name: a, url: b, credentials: {sshPrivateKeyFile: f}}", "/p/f"},
};

TEST(Inputs, TheContentOfEveryFileThatAStageNames_IsInItsDigest) {
  for (const Named& named : kNamed) {
    Bench bench(named.uses, named.with,
                {{named.file, "one"}, {"/p/c/Chart.yaml", ""}, {"/p/v.yaml", ""}});
    bench.files.content[named.file] = "one";
    std::string before = bench.digest();
    EXPECT_EQ(bench.digest(), before) << named.uses << " " << named.with;
    bench.files.content[named.file] = "two";
    EXPECT_NE(bench.digest(), before) << named.uses << " " << named.with;
  }
}

TEST(Manifests, NoClusterYet_AllObjectsAreListed) {
  Bench bench("kube.manifests", kTwo);
  bench.outputs.clear();
  Decision decision = bench.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_THAT(decision.actions.front().details, ElementsAre("+ ConfigMap one", "+ ConfigMap two"));
  EXPECT_EQ(bench.http.requests.size(), 0u);
}

struct MistakeRow {
  const char* uses;
  const char* with;
  const char* summary;
};

TEST(Manifests, ASourceWithoutObjects_OrWithOneTwice_IsAMistake) {
  const char* twice =
      "inline: [{apiVersion: apps/v1, kind: A, metadata: {name: a}}, "
      "{apiVersion: apps/v1beta1, kind: A, metadata: {name: a}}]";
  const std::vector<MistakeRow> rows = {
      {"kube.manifests", "inline: []", "there is no object to apply: 0 objects of the plan"},
      {"kube.manifests", "inline: '# nothing'",
       "there is no object to apply: 0 objects of the plan"},
      {"kube.manifests", "path: empty.yaml",
       "there is no object to apply: 0 objects of empty.yaml"},
      {"kube.manifests", "kustomize: k",
       "there is no object to apply: 0 objects of kustomization k"},
      {"kube.manifests", "chart: {path: c}", "there is no object to apply: 0 objects of chart c"},
      {"kube.crds", "sources: []", "there is no object to apply: 0 CustomResourceDefinitions"},
      {"kube.namespace", "names: []", "there is no object to apply: namespaces "},
      {"kube.manifests", twice, "A a is defined twice"},
  };
  for (const MistakeRow& row : rows) {
    Bench bench(row.uses, row.with,
                {{"/p/empty.yaml", "# nothing\n"},
                 {"/p/k/kustomization.yaml", ""},
                 {"/p/c/Chart.yaml", ""}});
    bench.processes.handler = [](const Command& command) {
      Exit exit;
      exit.out = command.args.front() == "version" ? "v3.21.4" : "# nothing\n";
      return exit;
    };
    try {
      bench.observe();
      ADD_FAILURE() << row.with;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage) << row.with;
      EXPECT_EQ(error.summary(), row.summary) << row.with;
      EXPECT_TRUE(error.place().known()) << row.with;
    }
  }
}

TEST(Manifests, Applied_TheSecondRunWritesNothing) {
  Bench bench("kube.manifests", kTwo);
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_EQ(bench.api.writes.size(), 2u);
  EXPECT_EQ(bench.converge(), 0);
  EXPECT_EQ(bench.api.writes.size(), 2u);
}

TEST(Manifests, OneOfTwoChanged_OnlyThatIsShownAndSent) {
  Bench bench("kube.manifests", kTwo);
  bench.converge();
  bench.api.find(kOne)->as_object()["data"] = boost::json::parse(R"({"a": "changed"})");
  bench.api.writes.clear();
  Decision decision = bench.decide();
  ASSERT_EQ(decision.actions.size(), 1u);
  EXPECT_THAT(decision.actions.front().details,
              ElementsAre(HasSubstr("~ ConfigMap web/one (.data.a")));
  bench.act("apply");
  EXPECT_THAT(bench.api.writes, ElementsAre("PATCH " + kOne));
}

TEST(Manifests, NotReady_IsWaitedForAndNewsWakesIt) {
  Bench bench("kube.manifests", kDeployment);
  bench.decide();
  bench.act("apply");
  Decision waiting = bench.decide();
  EXPECT_EQ(waiting.kind, Decision::Kind::kWait);
  EXPECT_THAT(waiting.waits_for, ElementsAre("Deployment web/app"));
  const std::string path = "/apis/apps/v1/namespaces/web/deployments/app";
  auto ready = *bench.api.find(path);
  ready.as_object()["status"] = boost::json::parse(
      R"({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2,
          "readyReplicas": 2, "conditions": [{"type": "Available", "status": "True"}]})");
  bench.api.put(path, ready);
  bench.changed();  // returns at once: it has moved since it was looked at
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Manifests, ThatAreBeingDeleted_AreNotReadyThoughTheyAreAsWanted) {
  Bench bench("kube.manifests", kTwo);
  bench.converge();
  auto& metadata = bench.api.find(kOne)->at("metadata").as_object();
  metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  metadata["finalizers"] = boost::json::array{"example.com/hold"};
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_EQ(decision.reason, "ConfigMap web/one is being deleted: finalizer example.com/hold");
}

constexpr const char* kSecret = R"(namespace: web
grace: 30s
inline:
  - {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db}})";

void pass(Bench& bench, Duration time) {
  Clock& clock = bench.context().world().clock;
  bench.run(clock.sleep_until(clock.now() + time));
}

/// As an ExternalSecret says whose store fails, in these words.
void fail_secret(boost::json::object& secret, const char* message) {
  secret["status"] = boost::json::parse(
      R"({"conditions": [{"type": "Ready", "status": "False", "reason": "SecretSyncedError",
          "message": ")" +
      std::string(message) + "\"}]}");
}

TEST(Manifests, TroubleThatMayPass_EndsTheWaitOnlyOnceItHasLasted) {
  Bench bench("kube.manifests", kSecret);
  bench.api.on_apply = [](boost::json::object& secret) { fail_secret(secret, "no store"); };
  bench.decide();
  bench.act("apply");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  pass(bench, std::chrono::seconds(29));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  auto& secret = *bench.api.find("/apis/external-secrets.io/v1/namespaces/web/externalsecrets/db");
  fail_secret(secret.as_object(), "no key");
  pass(bench, std::chrono::seconds(2));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait) << "it is other trouble now";
  pass(bench, std::chrono::seconds(30));
  Decision over = bench.decide();
  EXPECT_EQ(over.kind, Decision::Kind::kBlocked);
  EXPECT_EQ(over.reason, "ExternalSecret web/db: Ready is False: no key (unchanged for 30.0s)");
}

TEST(Manifests, TroubleThatMayPass_WaitsForWhatIsOnItsWay) {
  Bench bench("kube.manifests", std::string(kSecret) + R"(
  - {apiVersion: apps/v1, kind: Deployment, metadata: {name: store}, spec: {replicas: 1}})");
  bench.api.on_apply = [](boost::json::object& object) {
    if (object.at("kind") == "ExternalSecret") fail_secret(object, "no store");
  };
  bench.decide();
  bench.act("apply");
  bench.decide();
  pass(bench, std::chrono::minutes(5));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
}

TEST(Manifests, WaitIsFalse_StoredIsEnough) {
  Bench bench("kube.manifests", std::string(kDeployment) + "\nwait: false");
  EXPECT_EQ(bench.converge(), 1);
}

TEST(Manifests, CannotBecomeReady_EndsEarly) {
  Bench bench("kube.manifests", R"(namespace: web
inline:
  - {apiVersion: batch/v1, kind: Job, metadata: {name: migrate}, spec: {backoffLimit: 0}})");
  bench.api.on_apply = [](boost::json::object& job) {
    job["status"] = boost::json::parse(
        R"({"failed": 1, "conditions": [{"type": "Failed", "status": "True",
            "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]})");
  };
  bench.decide();
  bench.act("apply");
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("Job web/migrate"));
  EXPECT_THAT(decision.reason, HasSubstr("backoff limit"));
}

TEST(Manifests, Conflict_SaysHowToTakeOver) {
  Bench bench("kube.manifests", kTwo);
  auto inner = bench.http.handler;
  bench.decide();
  bench.http.handler = [inner](HttpRequest request) -> Task<HttpResponse> {
    if (request.method == "PATCH")
      co_return kube::status_response(409, "Conflict", "conflict with \"helm\": .data.a");
    co_return co_await inner(std::move(request));
  };
  try {
    bench.act("apply");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kConflict);
    EXPECT_THAT(error.hint(), HasSubstr("force: true"));
  }
}

constexpr const char* kFixed = R"(namespace: web
recreate: [ConfigMap]
inline:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: "2"}})";

/// The ConfigMap is there, made by `manager`, and refuses to be changed.
Decision of_an_immutable_one(const std::string& manager, const std::string& more = "") {
  Bench bench("kube.manifests", kFixed + more);
  bench.api.manager = manager;
  bench.api.put(
      kOne, boost::json::parse(R"({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}})"));
  const auto api = bench.http.handler;
  bench.http.handler = [api](HttpRequest request) -> Task<HttpResponse> {
    if (request.method != "PATCH") return api(std::move(request));
    return answer_now(kube::json_response(
        422, R"({"kind": "Status", "reason": "Invalid", "message": "ConfigMap is invalid",
                 "details": {"causes": [{"reason": "FieldValueForbidden", "field": "data",
                 "message": "Forbidden: field is immutable when `immutable` is set"}]}})"));
  };
  return bench.decide();
}

TEST(Manifests, Recreate_OfWhatCannotBeChanged_ButNotOfWhatOthersMade) {
  Decision ours = of_an_immutable_one("blackstart");
  ASSERT_EQ(ours.actions.size(), 1u);
  EXPECT_EQ(ours.actions[0].id, "recreate");
  Decision theirs = of_an_immutable_one("helm");
  ASSERT_EQ(theirs.actions.size(), 1u);
  EXPECT_EQ(theirs.actions[0].id, "apply");
  EXPECT_THAT(theirs.actions[0].details,
              Contains(HasSubstr("refused when tried: ConfigMap is invalid")));
  EXPECT_EQ(of_an_immutable_one("helm", "\nforce: true").actions[0].id, "recreate");
}

TEST(Manifests, Removal_TakesOnlyWhatWeApplied) {
  Bench bench("kube.manifests", kTwo);
  bench.api.manager = "somebody";
  bench.api.put(kOne, boost::json::parse(R"({"apiVersion": "v1", "kind": "ConfigMap"})"));
  bench.converge();
  Decision decision = bench.decide_removal();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_TRUE(decision.actions.front().destructive);
  EXPECT_THAT(decision.actions.front().details,
              ElementsAre("- ConfigMap web/two",
                          "left in place: ConfigMap web/one was not made by blackstart, "
                          "as far as can be told"));
  bench.act("remove");
  EXPECT_NE(bench.api.find(kOne), nullptr);
  EXPECT_EQ(bench.api.find("/api/v1/namespaces/web/configmaps/two"), nullptr);
}

// An apply of nothing but a name leaves no entry in managedFields.
TEST(Manifests, Removal_TakesWhatHasNoFieldsAndWhatOthersEditedSince) {
  Bench bench("kube.manifests", kTwo);
  bench.converge();
  auto edited = *bench.api.find(kOne);
  edited.at("data") = {{"a", "edited"}};
  auto& entries = edited.at("metadata").at("managedFields").as_array();
  entries = {boost::json::object{
      {"manager", "kubectl-edit"}, {"operation", "Update"}, {"time", "2030-01-01T00:00:00Z"}}};
  bench.api.put(kOne, edited);
  auto& bare = bench.api.find("/api/v1/namespaces/web/configmaps/two")->at("metadata").as_object();
  bare["managedFields"] = boost::json::array();
  EXPECT_THAT(bench.decide_removal().actions.at(0).details,
              ElementsAre("- ConfigMap web/one", "- ConfigMap web/two"));
}

TEST(Manifests, Removal_WithoutMemory_GoesByManagedFields) {
  Bench bench("kube.manifests", kTwo);
  bench.converge();
  bench.files.content.erase(bench.context().folder() + "/applied.json");
  EXPECT_THAT(bench.decide_removal().actions.at(0).details,
              ElementsAre("- ConfigMap web/one", "- ConfigMap web/two"));
  auto adopted = *bench.api.find(kOne);
  auto& metadata = adopted.at("metadata").as_object();
  metadata["managedFields"].as_array().push_back(
      boost::json::object{{"manager", "kubectl-create"},
                          {"operation", "Update"},
                          {"time", metadata["creationTimestamp"]}});
  bench.api.put(kOne, adopted);
  bench.files.content.erase(bench.context().folder() + "/applied.json");
  EXPECT_THAT(bench.decide_removal().actions.at(0).details,
              Contains(HasSubstr("left in place: ConfigMap web/one")))
      << "within the second of its making others wrote too: it may be theirs";
}

TEST(Manifests, Removal_LeavesWhatWasMadeAnewSinceTheLook) {
  Bench bench("kube.manifests", kTwo);
  bench.converge();
  ASSERT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
  auto anew = *bench.api.find(kOne);
  anew.at("metadata").as_object()["uid"] = "another";
  bench.api.put(kOne, anew);
  bench.act("remove");
  EXPECT_NE(bench.api.find(kOne), nullptr);
  EXPECT_EQ(bench.api.find("/api/v1/namespaces/web/configmaps/two"), nullptr);
}

TEST(Manifests, ThereBefore_IsLeftWhenWeOnlyPutALabelOn) {
  Bench bench("kube.manifests", R"(inline:
  - {apiVersion: v1, kind: Namespace, metadata: {name: demo, labels: {team: a}}})");
  bench.api.put("/api/v1/namespaces/demo",
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Namespace",
    "metadata": {"labels": {"team": "a"}, "managedFields": [
      {"manager": "kubectl-create", "operation": "Update", "time": "2026-01-01T00:00:00Z"},
      {"manager": "blackstart", "operation": "Apply", "time": "2026-01-02T00:00:00Z"}]}})"));
  Decision decision = bench.decide_removal();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason, HasSubstr("not made by blackstart"));
}

struct MadeByRow {
  const char* why;
  const char* ours;    // time of our entry
  const char* others;  // further entries
  bool made;
};

TEST(Manifests, MadeBy_TheOneWhoseEntryIsAsOldAsTheObject_OrWhoIsAlone) {
  const std::vector<MadeByRow> rows = {
      {"made and never written again", "02", "", true},
      {"stamped a moment before the object", "01",
       R"(, {"manager": "c", "time": "2026-01-05T00:00:00Z"})", true},
      {"changed by us later, touched by nobody else", "05", "", true},
      {"changed by us later; its status is a controller's", "05",
       R"(, {"manager": "c", "subresource": "status", "time": "2026-01-03T00:00:00Z"})", true},
      {"the same for a kind without that subresource", "05",
       R"(, {"manager": "c", "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:status": {}}})", true},
      {"made by another, who has written since", "05",
       R"(, {"manager": "c", "time": "2026-01-09T00:00:00Z"})", false},
      {"made by another, who has not", "05",
       R"(, {"manager": "c", "time": "2026-01-02T00:00:00Z"})", false},
  };
  for (const MadeByRow& row : rows) {
    auto object = boost::json::parse(
        R"({"metadata": {"creationTimestamp": "2026-01-02T00:00:00Z", "managedFields": [
            {"manager": "us", "operation": "Apply", "time": "2026-01-)" +
        std::string(row.ours) + R"(T00:00:00Z"})" + row.others + "]}}");
    EXPECT_EQ(made_by(object, "us"), row.made) << row.why;
  }
  EXPECT_FALSE(made_by(boost::json::object(), "us"));
}

TEST(Namespace, OfOurMaking_IsRemoved) {
  Bench bench("kube.namespace", "name: demo\nlabels: {team: a}");
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
}

TEST(Namespace, ThereBefore_IsLeftWhenWeOnlyPutLabelsOn) {
  Bench bench("kube.namespace", "name: demo\nlabels: {team: a}");
  bench.api.put("/api/v1/namespaces/demo",
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Namespace",
    "metadata": {"labels": {"team": "a"}, "managedFields": [
      {"manager": "kubectl-create", "operation": "Update", "time": "2026-01-01T00:00:00Z"},
      {"manager": "blackstart", "operation": "Apply", "time": "2026-01-02T00:00:00Z"}]}})"));
  Decision decision = bench.decide_removal();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason, HasSubstr("not made by blackstart"));
}

TEST(Namespace, ThereBeforeAndWrittenByItsOwnerSince_IsLeft) {
  Bench bench("kube.namespace", "name: demo\nlabels: {team: a}");
  const std::string path = "/api/v1/namespaces/demo";
  auto by_owner = [](const char* labels) {
    return boost::json::parse(
        R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": )" +
        std::string(labels) + "}}");
  };
  bench.api.apply(path, by_owner(R"({"owner": "x"})"), "kubectl");
  EXPECT_EQ(bench.converge(), 1);
  bench.api.apply(path, by_owner(R"({"owner": "y"})"), "kubectl");
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kSatisfied);
}

TEST(Namespace, OfOurMakingAndChangedByUsSince_IsRemoved) {
  Bench bench("kube.namespace", "name: demo\nlabels: {team: a}");
  bench.converge();
  bench.api.apply("/api/v1/namespaces/demo",
                  boost::json::parse(R"({"metadata": {"labels": {"team": "b"}}})"), "blackstart");
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
}

TEST(Namespace, Terminating_IsWaitedForAndWhatHoldsItIsSaid) {
  Bench bench("kube.namespace", "name: demo");
  bench.api.put("/api/v1/namespaces/demo",
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Namespace",
    "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"},
    "status": {"phase": "Terminating", "conditions": [
      {"type": "NamespaceFinalizersRemaining", "status": "True",
       "message": "Some content in the namespace has finalizers remaining: widgets.example.com in 2 resource instances"}]}})"));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("widgets.example.com in 2 resource instances"));
  EXPECT_THAT(bench.api.writes, IsEmpty());
}

}  // namespace
}  // namespace blackstart::stages
