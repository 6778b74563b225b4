#include "orchestrator/kube/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

Manifest manifest(std::string api_version, std::string kind, std::string name,
                  std::string name_space = "a") {
  json::object metadata{{"name", name}};
  if (!name_space.empty()) metadata["namespace"] = name_space;
  return {json::object{{"apiVersion", api_version}, {"kind", kind}, {"metadata", metadata}},
          Place{intern_file("m.yaml"), 1, 1}};
}

Manifest config_map(const std::string& name, const std::string& value) {
  Manifest result = manifest("v1", "ConfigMap", name);
  result.object.as_object()["data"] = {{"key", value}};
  return result;
}

// As the server keeps what we applied.
std::string live_config_map(const std::string& name, const std::string& value) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
         R"(","namespace":"a","resourceVersion":"1","managedFields":[{"manager":"blackstart","operation":"Apply",
            "apiVersion":"v1","fieldsV1":{"f:data":{"f:key":{}}}}]},"data":{"key":")" +
         value + "\"}}";
}

std::vector<ObjectState> compared(ScriptedWorld& scripted, const Manifests& manifests) {
  return scripted.result(compare(scripted.client(), manifests, "a", "blackstart"));
}

HttpResponse uncallable(const std::string& url) {
  return status_response(500, "InternalError",
                         "Internal error occurred: failed calling webhook \"hook.io\": failed "
                         "to call webhook: Post \"" +
                             url + "?timeout=10s\": connection refused");
}

size_t writes(const ScriptedWorld& scripted) {
  return static_cast<size_t>(
      std::ranges::count_if(scripted.http.requests, [](const HttpRequest& r) {
        return r.method != "GET" && r.url.find("dryRun=All") == std::string::npos;
      }));
}

TEST(Compare, OfFewObjectsGetsThemOneByOne_AndTellsSameAbsentAndDifferent) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/configmaps/one", {json_response(200, live_config_map("one", "x"))});
  const auto states = compared(scripted, {config_map("one", "x"), config_map("two", "x")});
  EXPECT_EQ(states[0].presence, Presence::kSame);
  EXPECT_EQ(states[1].presence, Presence::kAbsent);
  EXPECT_EQ(scripted.http.requests.size(), 4u);  // two of discovery, two of objects
}

TEST(Compare, OfManyObjectsListsThemOnce) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  const std::string items = live_config_map("one", "x") + "," + live_config_map("two", "x") + "," +
                            live_config_map("alien", "x");
  scripted.answer("/namespaces/a/configmaps?",
                  {json_response(200, R"({"kind":"ConfigMapList","apiVersion":"v1","items":[)" +
                                          items + "]}")});
  const auto states = compared(
      scripted, {config_map("one", "x"), config_map("two", "x"), config_map("three", "x")});
  EXPECT_EQ(states[0].presence, Presence::kSame);
  EXPECT_EQ(states[1].presence, Presence::kSame);
  EXPECT_EQ(states[2].presence, Presence::kAbsent);
  EXPECT_EQ(scripted.http.requests.size(), 3u);
}

TEST(Compare, InDoubtAsksTheServerByADryRun) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/configmaps/one", {json_response(200, live_config_map("one", "normalised"))});
  scripted.answer("/configmaps/one?fieldManager",
                  {json_response(200, live_config_map("one", "normalised"))});
  EXPECT_EQ(compared(scripted, {config_map("one", "as written")})[0].presence, Presence::kSame);
  scripted.answer("/configmaps/one?fieldManager",
                  {json_response(200, live_config_map("one", "as written"))});
  const auto states = compared(scripted, {config_map("one", "as written")});
  EXPECT_EQ(states[0].presence, Presence::kDiffers);
  EXPECT_THAT(states[0].fields, ElementsAre(".data.key"));
  EXPECT_EQ(writes(scripted), 0u);
}

TEST(Compare, OfWhatTheServerRefusesToTry_SaysThatItDiffers) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/configmaps/one", {json_response(200, live_config_map("one", "x"))});
  scripted.answer("/configmaps/one?fieldManager",
                  {status_response(422, "Invalid", "field is immutable")});
  EXPECT_EQ(compared(scripted, {config_map("one", "y")})[0].presence, Presence::kDiffers);
}

TEST(Compare, OfWhatOthersOwn_SaysTheConflictAndTheChange) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/configmaps/one", {json_response(200, live_config_map("one", "x"))});
  const std::string conflict =
      R"({"kind": "Status", "reason": "Conflict", "message": "x", "details": {"causes": [{"reason":
      "FieldManagerConflict", "field": ".data.key", "message": "conflict with \"helm\" using v1"}]}})";
  scripted.answer("/configmaps/one?fieldManager=blackstart&force=false",
                  {json_response(409, conflict)});
  scripted.answer("/configmaps/one?fieldManager=blackstart&force=true",
                  {json_response(200, live_config_map("one", "y"))});
  const auto states = compared(scripted, {config_map("one", "y")});
  EXPECT_EQ(states[0].presence, Presence::kDiffers);
  EXPECT_THAT(states[0].fields, ElementsAre(".data.key"));
  ASSERT_TRUE(states[0].refusal);
  EXPECT_EQ(states[0].refusal->conflicts().at(0).manager, "helm");
}

TEST(Compare, OfWhatAWebhookHoldsUp_SaysThatItDiffers_ForTheRepairMayBeAmongTheRest) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/configmaps/one", {json_response(200, live_config_map("one", "x"))});
  scripted.answer("/configmaps/one?fieldManager", {uncallable("https://hook.a.svc:443/check")});
  const auto states = compared(scripted, {config_map("one", "y")});
  EXPECT_EQ(states[0].presence, Presence::kDiffers);
  ASSERT_TRUE(states[0].refusal);
  EXPECT_EQ(states[0].refusal->reason(), kUncallable);
}

TEST(Compare, OfWhatCannotBeReadThrows_ForUnknownIsNotAbsent) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/configmaps/one", {status_response(500, "", "etcd is gone")});
  EXPECT_THROW(compared(scripted, {config_map("one", "x")}), Error);
  scripted.answer("/configmaps/one", {json_response(200, live_config_map("one", "x"))});
  scripted.answer("/configmaps/one?fieldManager", {status_response(503, "", "etcd is gone")});
  EXPECT_THROW(compared(scripted, {config_map("one", "y")}), Error);
}

TEST(Compare, OfAKindThatTheServerDoesNotKnow_IsAbsent) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  EXPECT_EQ(compared(scripted, {manifest("x.io/v1", "Thing", "t")})[0].presence, Presence::kAbsent);
}

TEST(Compare, OfASecretTakesStringDataForData) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/secrets/s",
                  {json_response(200, R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s",
      "namespace":"a","managedFields":[{"manager":"blackstart","operation":"Apply","apiVersion":"v1",
      "fieldsV1":{"f:data":{"f:k":{}}}}]},"data":{"k":"dg=="}})")});
  Manifest secret = manifest("v1", "Secret", "s");
  secret.object.as_object()["stringData"] = {{"k", "v"}};
  EXPECT_EQ(compared(scripted, {secret})[0].presence, Presence::kSame);
}

TEST(WithNamespace, FillsInWhatIsMissingByTheScopeOfTheKind) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Manifest crd = manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.x.io", "");
  crd.object.as_object()["spec"] = {
      {"group", "x.io"}, {"scope", "Namespaced"}, {"names", {{"kind", "Thing"}}}};
  const Manifests set = {
      manifest("v1", "ConfigMap", "c", ""),      manifest("v1", "ConfigMap", "d", "own"),
      manifest("v1", "Namespace", "n", "wrong"), crd,
      manifest("x.io/v1", "Thing", "t", ""),     manifest("y.io/v1", "Unheard", "u", "")};
  std::vector<std::string> names;
  for (const Manifest& one : scripted.result(with_namespace(scripted.client(), set, "given")))
    names.push_back(one.ref().to_string());
  EXPECT_THAT(names,
              ElementsAre("ConfigMap given/c", "ConfigMap own/d", "Namespace n",
                          "CustomResourceDefinition things.x.io", "Thing given/t", "Unheard u"));
}

// Answers every PATCH with the object it carries and keeps the order of them.
struct Applied {
  explicit Applied(ScriptedWorld& scripted) {
    auto answers = scripted.http.handler;
    scripted.http.handler = [this, answers](HttpRequest request) -> Task<HttpResponse> {
      if (request.method != "PATCH" || refuse.contains(name_in(request)))
        return answers(std::move(request));
      return accept(std::move(request));
    };
  }
  static std::string name_in(const HttpRequest& request) {
    return text_at(json::parse(request.body), {"metadata", "name"});
  }
  Task<HttpResponse> accept(HttpRequest request) {
    names.push_back(name_in(request));
    co_return json_response(200, request.body);
  }
  std::vector<std::string> names;
  std::set<std::string> refuse;
};

void apply(ScriptedWorld& scripted, const Manifests& set, ApplySetOptions options = {}) {
  scripted.run(apply_set(scripted.client(), set, std::move(options)));
}

TEST(ApplySet, GoesLayerByLayer) {
  ScriptedWorld scripted;
  scripted.serve_discovery({{"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
                             "validatingwebhookconfigurations", false}});
  Applied applied(scripted);
  apply(scripted,
        {manifest("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "hook", ""),
         manifest("v1", "ConfigMap", "map"), manifest("v1", "Namespace", "a", "")});
  EXPECT_THAT(applied.names, ElementsAre("a", "map", "hook"));
}

TEST(ApplySet, SendsServerSideApplyWithOurManagerAndNoLastAppliedAnnotation) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Applied applied(scripted);
  ApplySetOptions options;
  std::vector<std::string> told;
  options.on_applied = [&](const ObjectRef& ref) { told.push_back(ref.to_string()); };
  apply(scripted, {config_map("one", "x")}, options);
  const HttpRequest& request = scripted.http.requests.back();
  EXPECT_EQ(request.url,
            "https://api/api/v1/namespaces/a/configmaps/"
            "one?fieldManager=blackstart&force=false&fieldValidation=Strict");
  EXPECT_EQ(request.headers.at("Content-Type"), "application/apply-patch+yaml");
  EXPECT_THAT(request.body, testing::Not(HasSubstr("last-applied")));
  EXPECT_THAT(told, ElementsAre("ConfigMap a/one"));
}

TEST(ApplySet, ForceComesAfterAConflict_AndSaysWhatItTook) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  const std::string conflict =
      R"({"kind": "Status", "reason": "Conflict", "message": "x", "details": {"causes": [{"reason":
      "FieldManagerConflict", "field": ".data.k", "message": "conflict with \"helm\" using v1"}]}})";
  scripted.answer("force=false", {json_response(409, conflict)});
  scripted.answer("force=true", {json_response(200, "{}")});
  ApplySetOptions options;
  options.force = true;
  std::vector<std::string> taken;
  options.on_taken_over = [&](const ObjectRef& ref, const FieldConflict& field) {
    taken.push_back(ref.to_string() + " " + field.field + " " + field.manager);
  };
  apply(scripted, {config_map("one", "x")}, options);
  EXPECT_THAT(taken, ElementsAre("ConfigMap a/one .data.k helm"));
}

TEST(ApplySet, TriesTheWholeLayerAndNamesEachFailureWithItsPlace) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Applied applied(scripted);
  applied.refuse = {"bad", "worse"};
  scripted.answer("/configmaps/bad", {status_response(422, "Invalid", "it is invalid")});
  scripted.answer("/configmaps/worse",
                  {status_response(403, "Forbidden", "User \"u\" cannot patch")});
  try {
    apply(scripted, {config_map("bad", "x"), config_map("worse", "x"), config_map("good", "x")});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_EQ(error.summary(), "2 of 3 objects could not be applied");
    EXPECT_THAT(
        error.causes(),
        ElementsAre("cannot apply ConfigMap a/bad: it is invalid (m.yaml:1:1)",
                    "cannot apply ConfigMap a/worse: User \"u\" cannot patch (m.yaml:1:1)"));
  }
  EXPECT_THAT(applied.names, ElementsAre("good"));
}

const char* const kAdmission = "admissionregistration.k8s.io/v1";

TEST(ApplySet, WhatAWebhookHoldsUp_LeavesTheWebhooksOwnRepairToBeTried) {
  ScriptedWorld scripted;
  scripted.serve_discovery(
      {{kAdmission, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false}});
  Applied applied(scripted);
  applied.refuse = {"one"};
  scripted.answer("/configmaps/one", {uncallable("https://hook.a.svc:443/")});
  EXPECT_THROW(
      apply(scripted, {config_map("one", "x"),
                       manifest(kAdmission, "ValidatingWebhookConfiguration", "hook", "")}),
      Error);
  EXPECT_THAT(applied.names, ElementsAre("hook"));
}

json::object configuration(const std::string& kind, const std::string& path) {
  json::object service{{"name", "hook"}, {"namespace", "a"}, {"path", path}};
  json::object webhook{{"name", "hook.io"}, {"clientConfig", {{"service", std::move(service)}}}};
  return {{"apiVersion", kAdmission},
          {"kind", kind},
          {"metadata", {{"name", "cert-manager"}}},
          {"webhooks", json::array{std::move(webhook)}}};
}

// As cert-manager's two, which have one name.
TEST(ApplySet, OfTwoWebhooksWithOneName_TheOneThatWasAskedIsNamed) {
  ScriptedWorld scripted;
  scripted.serve_discovery(
      {{kAdmission, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false},
       {kAdmission, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false}});
  const auto list = [](const std::string& kind, const std::string& path) {
    return json_response(
        200, json::serialize(json::object{{"kind", kind + "List"},
                                          {"apiVersion", kAdmission},
                                          {"items", json::array{configuration(kind, path)}}}));
  };
  scripted.answer("/validatingwebhookconfigurations",
                  {list("ValidatingWebhookConfiguration", "/validate")});
  scripted.answer("/mutatingwebhookconfigurations",
                  {list("MutatingWebhookConfiguration", "/mutate")});
  scripted.answer("/configmaps/one", {uncallable("https://hook.a.svc:443/mutate")});
  try {
    apply(scripted, {config_map("one", "x")});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(),
                HasSubstr("kubectl delete mutatingwebhookconfiguration cert-manager"));
  }
}

TEST(ApplySet, DoesNotGoOnWithTheNextLayerAfterAFailure) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Applied applied(scripted);
  applied.refuse = {"a"};
  scripted.answer("/namespaces/a", {status_response(422, "Invalid", "no")});
  EXPECT_THROW(apply(scripted, {manifest("v1", "Namespace", "a", ""), config_map("one", "x")}),
               Error);
  EXPECT_TRUE(applied.names.empty());
}

TEST(ApplySet, StopsTryingWhenNobodyAnswersAnyMore) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  auto answers = scripted.http.handler;
  scripted.http.handler = [answers](HttpRequest request) -> Task<HttpResponse> {
    if (request.method == "PATCH") throw Error(ErrorClass::kUnreachable, "refused");
    return answers(std::move(request));
  };
  Manifests many;
  for (int i = 0; i < 100; ++i) many.push_back(config_map("m" + std::to_string(i), "x"));
  ApplySetOptions options;
  options.concurrency = 4;
  try {
    apply(scripted, many, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable);
  }
  EXPECT_LE(scripted.http.count("/configmaps"), 8u);
}

TEST(ApplySet, OfAnUnknownKindFailsAtOnceAndSaysWhatToDo) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  try {
    apply(scripted, {manifest("x.io/v1", "Thing", "t")});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.full_text(),
              "cannot apply Thing a/t: no matches for kind \"Thing\" in version \"x.io/v1\"");
    EXPECT_THAT(error.hint(), HasSubstr("CustomResourceDefinition"));
  }
  EXPECT_EQ(scripted.elapsed(), Duration::zero());
}

// Answers the first requests to apply an object with something else.
void answer_first(ScriptedWorld& scripted, const std::string& name, size_t count,
                  HttpResponse answer) {
  auto answers = scripted.http.handler;
  auto left = std::make_shared<size_t>(count);
  scripted.http.handler = [answers, name, left, answer](HttpRequest request) -> Task<HttpResponse> {
    const bool meant = request.method == "PATCH" && Applied::name_in(request) == name && *left > 0;
    if (!meant) co_return co_await answers(std::move(request));
    --*left;
    co_return answer;
  };
}

constexpr const char* kDefinition =
    R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
  "metadata":{"name":"things.x.io","resourceVersion":"5"},"spec":{"group":"x.io","scope":"Namespaced","names":{"kind":"Thing"}})";

HttpResponse definitions(const std::string& conditions) {
  return json_response(
      200,
      R"({"kind":"CustomResourceDefinitionList","metadata":{"resourceVersion":"5"},"items":[)" +
          std::string(kDefinition) + R"(,"status":{"conditions":[)" + conditions + "]}}]}");
}

// The server learns the kind only some time after its CRD was Established.
TEST(ApplySet, WaitsForNewDefinitionsAndForTheServerToServeThem) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Applied applied(scripted);
  scripted.answer("/customresourcedefinitions?",
                  {definitions(R"({"type":"Established","status":"True"})")});
  auto accept = scripted.http.handler;
  size_t looks = 0;
  scripted.http.handler = [&, accept](HttpRequest request) -> Task<HttpResponse> {
    if (request.url == "https://api/apis" && ++looks == 3)
      scripted.serve_discovery({{"x.io/v1", "Thing", "things", true}});
    return accept(std::move(request));
  };
  apply(scripted,
        {manifest("x.io/v1", "Thing", "t"), {json::parse(std::string(kDefinition) + "}"), {}}});
  EXPECT_THAT(applied.names, ElementsAre("things.x.io", "t"));
  EXPECT_GT(scripted.elapsed(), Duration::zero());
}

// A definition of Thing, then `more`; what it took before the errors, if any, were thrown.
Duration apply_after_a_definition(ScriptedWorld& scripted, Manifest more) {
  scripted.answer("/customresourcedefinitions?",
                  {definitions(R"({"type":"Established","status":"True"})")});
  try {
    apply(scripted, {{json::parse(std::string(kDefinition) + "}"), {}}, std::move(more)});
  } catch (const Error&) {
  }
  return scripted.elapsed();
}

TEST(ApplySet, WaitsForTheHandlerOfAListedKind) {
  ScriptedWorld scripted;
  scripted.serve_discovery({{"x.io/v1", "Thing", "things", true}});
  Applied applied(scripted);
  answer_first(scripted, "t", 3, json_response(404, "404 page not found\n"));
  EXPECT_GT(apply_after_a_definition(scripted, manifest("x.io/v1", "Thing", "t")),
            Duration::zero());
  EXPECT_THAT(applied.names, ElementsAre("things.x.io", "t"));
}

TEST(ApplySet, DoesNotWaitForANamespaceThatNobodyMakes) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Applied applied(scripted);
  answer_first(scripted, "map", 1, json_response(404, R"({"kind":"Status","reason":"NotFound",
      "message":"namespaces \"a\" not found","details":{"name":"a","kind":"namespaces"}})"));
  EXPECT_EQ(apply_after_a_definition(scripted, manifest("v1", "ConfigMap", "map")),
            Duration::zero());
  EXPECT_THAT(applied.names, ElementsAre("things.x.io"));
}

TEST(ApplySet, DoesNotTakeARefusalForAnUnknownKindByItsWords) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  Applied applied(scripted);
  answer_first(scripted, "map", 1,
               status_response(403, "Forbidden",
                               "admission webhook \"w\" denied it: no matches for kind \"P\""));
  EXPECT_EQ(apply_after_a_definition(scripted, manifest("v1", "ConfigMap", "map")),
            Duration::zero());
  EXPECT_THAT(applied.names, ElementsAre("things.x.io"));
}

TEST(WaitEstablished, FailsAtOnceWhenTheNamesAreTaken) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer(
      "/customresourcedefinitions?",
      {definitions(
          R"({"type":"NamesAccepted","status":"False","message":"\"things\" is already in use"})")});
  try {
    scripted.run(wait_established(scripted.client(), "things.x.io"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.full_text(), HasSubstr("was not accepted: \"things\" is already in use"));
  }
}

TEST(WaitEstablished, EndsAfterAMinute) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  scripted.answer("/customresourcedefinitions?", {definitions("")});
  scripted.answer("watch=true", {json_response(200, "")});
  try {
    scripted.run(wait_established(scripted.client(), "things.x.io"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
    EXPECT_THAT(error.summary(), HasSubstr("things.x.io is not Established"));
  }
  EXPECT_EQ(scripted.elapsed(), std::chrono::seconds(60));
}

Manifest seen(Manifest manifest, const std::string& uid) {
  manifest.object.as_object()["metadata"].as_object()["uid"] = uid;
  return manifest;
}

TEST(RemoveSet, GoesBackwardsAndWaitsUntilEachIsGone) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  std::vector<std::string> removed;
  auto answers = scripted.http.handler;
  scripted.http.handler = [&, answers](HttpRequest request) -> Task<HttpResponse> {
    if (request.method == "DELETE") removed.push_back(request.url + " " + request.body);
    return answers(std::move(request));
  };
  scripted.answer("/configmaps/one", {json_response(200, "{}")});
  scripted.answer(
      "/configmaps?",
      {json_response(
          200,
          R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[]})")});
  scripted.answer("https://api/api/v1/namespaces/a", {json_response(200, "{}")});
  scripted.answer(
      "/namespaces?",
      {json_response(
          200,
          R"({"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[]})")});
  const Manifests live = {seen(manifest("v1", "Namespace", "a", ""), "n"),
                          seen(manifest("v1", "ConfigMap", "one"), "u"),
                          seen(manifest("v1", "ConfigMap", "gone"), "g")};
  scripted.run(remove_set(scripted.client(), live));
  auto request = [](const std::string& path, const std::string& uid) {
    return "https://api/api/v1/namespaces/a" + path +
           R"( {"propagationPolicy":"Background","preconditions":{"uid":")" + uid + R"("}})";
  };
  EXPECT_THAT(removed, ElementsAre(request("/configmaps/one", "u"),
                                   request("/configmaps/gone", "g"), request("", "n")));
}

// Every DELETE meets a conflict; the object that has the name now has this uid.
void remove_against_a_conflict(ScriptedWorld& scripted, const std::string& uid_now) {
  scripted.serve_discovery();
  auto answers = scripted.http.handler;
  scripted.http.handler = [answers](HttpRequest request) -> Task<HttpResponse> {
    if (request.method != "DELETE") co_return co_await answers(std::move(request));
    co_return status_response(409, "Conflict", "the UID in the precondition is another one");
  };
  scripted.answer("/configmaps/one",
                  {json_response(200, R"({"metadata":{"name":"one","uid":")" + uid_now + "\"}}")});
  scripted.run(remove_set(scripted.client(), {seen(manifest("v1", "ConfigMap", "one"), "u")}));
}

TEST(RemoveSet, LeavesAnotherObjectThatHasTheNameSince) {
  ScriptedWorld scripted;
  remove_against_a_conflict(scripted, "another");
  EXPECT_EQ(scripted.elapsed(), Duration::zero());
}

TEST(RemoveSet, OfTheSameObject_MayNotPassOverAConflict) {
  ScriptedWorld scripted;
  EXPECT_THROW(remove_against_a_conflict(scripted, "u"), ApiError);
}

TEST(RemoveSet, NamesTheFinalizersOfWhatDoesNotGo) {
  ScriptedWorld scripted;
  scripted.serve_discovery();
  const std::string held =
      R"({"metadata":{"name":"one","namespace":"a","uid":"u","finalizers":["x.io/hold"]}})";
  scripted.answer("/configmaps/one", {json_response(200, "{}")});
  scripted.answer(
      "/configmaps?",
      {json_response(
          200, R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"9"},"items":[)" + held +
                   "]}")});
  scripted.answer("watch=true", {json_response(200, "")});
  try {
    scripted.run(remove_set(scripted.client(), {seen(manifest("v1", "ConfigMap", "one"), "u")}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(
        error.full_text(),
        "ConfigMap a/one is still there after 10m00s: it is held by its finalizers: x.io/hold");
  }
}

}  // namespace
}  // namespace blackstart::kube
