#include "orchestrator/kube/managed_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace blackstart::kube {
namespace {

namespace json = boost::json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// A Deployment as we applied it and as the server keeps it: with defaults and other managers'
// fields.
constexpr const char* kDesired = R"({
  "apiVersion":"apps/v1","kind":"Deployment",
  "metadata":{"name":"web","namespace":"a","labels":{"app":"web"}},
  "spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},
    "template":{"spec":{
      "containers":[
        {"name":"main","image":"nginx:1","args":["-v","-x"],"ports":[{"containerPort":80,"protocol":"TCP"}],
         "env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},
        {"name":"side","image":"envoy"}],
      "volumes":[{"name":"tmp","emptyDir":{}}]}}}})";

constexpr const char* kLive = R"({
  "apiVersion":"apps/v1","kind":"Deployment",
  "metadata":{"name":"web","namespace":"a","uid":"u","resourceVersion":"7","generation":1,
    "labels":{"app":"web"},"annotations":{"deployment.kubernetes.io/revision":"1"},
    "managedFields":[
      {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1","subresource":"status",
       "fieldsV1":{"f:status":{"f:replicas":{}}}},
      {"manager":"blackstart","operation":"Apply","apiVersion":"apps/v1","time":"2026-01-01T00:00:00Z","fieldsV1":{
        "f:metadata":{"f:labels":{"f:app":{}}},
        "f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:spec":{
          "f:containers":{
            "k:{\"name\":\"main\"}":{".":{},"f:name":{},"f:image":{},"f:args":{},
              "f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},
              "f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}},
                       "k:{\"name\":\"B\"}":{".":{},"f:name":{},"f:value":{}}}},
            "k:{\"name\":\"side\"}":{".":{},"f:name":{},"f:image":{}}},
          "f:volumes":{"k:{\"name\":\"tmp\"}":{".":{},"f:name":{},"f:emptyDir":{}}}}}}}}]},
  "spec":{"replicas":2,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"web"}},
    "template":{"spec":{"restartPolicy":"Always",
      "containers":[
        {"name":"main","image":"nginx:1","imagePullPolicy":"Always","args":["-v","-x"],
         "ports":[{"containerPort":80,"protocol":"TCP"}],
         "env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},
        {"name":"side","image":"envoy","imagePullPolicy":"Always"}],
      "volumes":[{"name":"tmp","emptyDir":{}}]}}},
  "status":{"replicas":2}})";

std::vector<std::string> unproven(const json::value& desired, const json::value& live) {
  return unproven_fields(desired, live, "blackstart", 5);
}

json::value& spec_of(json::value& object) { return object.at("spec").at("template").at("spec"); }
json::value& container(json::value& object, size_t index) {
  return spec_of(object).at("containers").at(index);
}
json::object& owned(json::value& live) {
  return live.at("metadata").at("managedFields").at(1).at("fieldsV1").as_object();
}

TEST(UnprovenFields, AreNoneWhenAllThatWeWantIsOursAndThere) {
  EXPECT_THAT(unproven(json::parse(kDesired), json::parse(kLive)), IsEmpty());
}

TEST(UnprovenFields, CompareNumbersByValue) {
  json::value desired = json::parse(kDesired);
  desired.at("spec").at("replicas") = 2.0;
  EXPECT_THAT(unproven(desired, json::parse(kLive)), IsEmpty());
}

struct Edit {
  const char* name;
  std::function<void(json::value& desired, json::value& live)> edit;
  const char* field;
};

class Edits : public testing::TestWithParam<Edit> {};

TEST_P(Edits, AreNeverCalledTheSame) {
  json::value desired = json::parse(kDesired);
  json::value live = json::parse(kLive);
  GetParam().edit(desired, live);
  EXPECT_THAT(unproven(desired, live), Contains(GetParam().field));
}

const Edit kEdits[] = {
    {"value", [](auto& d, auto&) { d.at("spec").at("replicas") = 3; }, ".spec.replicas"},
    {"type", [](auto& d, auto&) { d.at("spec").at("replicas") = "2"; }, ".spec.replicas"},
    {"foreign value", [](auto&, auto& l) { l.at("spec").at("replicas") = 5; }, ".spec.replicas"},
    {"field gone", [](auto&, auto& l) { l.at("spec").as_object().erase("replicas"); },
     ".spec.replicas"},
    {"new field", [](auto& d, auto&) { d.at("spec").as_object()["paused"] = true; },
     ".spec.paused"},
    {"new field with the default",
     [](auto& d, auto&) { d.at("spec").as_object()["revisionHistoryLimit"] = 10; },
     ".spec.revisionHistoryLimit"},
    {"dropped field", [](auto& d, auto&) { d.at("spec").as_object().erase("replicas"); },
     ".spec.replicas"},
    {"dropped label",
     [](auto& d, auto&) { d.at("metadata").at("labels").as_object().erase("app"); },
     ".metadata.labels.app"},
    {"dropped labels", [](auto& d, auto&) { d.at("metadata").as_object().erase("labels"); },
     ".metadata"},
    {"dropped metadata and name only",
     [](auto& d, auto&) {
       d.as_object()["metadata"] = json::object{{"name", "web"}};
     },
     ".metadata"},
    {"image", [](auto& d, auto&) { container(d, 1).at("image") = "envoy:2"; },
     ".spec.template.spec.containers[{\"name\":\"side\"}].image"},
    {"item added",
     [](auto& d, auto&) {
       spec_of(d).at("containers").as_array().push_back(json::object{{"name", "new"}});
     },
     ".spec.template.spec.containers"},
    {"item dropped", [](auto& d, auto&) { spec_of(d).at("containers").as_array().pop_back(); },
     ".spec.template.spec.containers"},
    {"item renamed", [](auto& d, auto&) { container(d, 1).at("name") = "other"; },
     ".spec.template.spec.containers"},
    {"item twice",
     [](auto& d, auto&) { spec_of(d).at("containers").as_array().push_back(container(d, 1)); },
     ".spec.template.spec.containers"},
    {"items in another order",
     [](auto& d, auto&) {
       std::swap(container(d, 0).at("env").at(0), container(d, 0).at("env").at(1));
     },
     ".spec.template.spec.containers[{\"name\":\"main\"}].env"},
    {"live items in another order",
     [](auto&, auto& l) { std::swap(container(l, 0), container(l, 1)); },
     ".spec.template.spec.containers"},
    {"live item gone", [](auto&, auto& l) { spec_of(l).at("containers").as_array().pop_back(); },
     ".spec.template.spec.containers"},
    {"defaulted key",
     [](auto& d, auto&) { container(d, 0).at("ports").at(0).as_object().erase("protocol"); },
     ".spec.template.spec.containers[{\"name\":\"main\"}].ports"},
    {"atomic list", [](auto& d, auto&) { container(d, 0).at("args").at(1) = "-y"; },
     ".spec.template.spec.containers[{\"name\":\"main\"}].args"},
    {"empty map grown",
     [](auto& d, auto&) {
       spec_of(d).at("volumes").at(0).at("emptyDir") = {{"medium", "Memory"}};
     },
     ".spec.template.spec.volumes[{\"name\":\"tmp\"}].emptyDir"},
    {"map to scalar", [](auto& d, auto&) { d.at("metadata").at("labels") = "x"; },
     ".metadata.labels"},
    {"empty list added",
     [](auto& d, auto&) { container(d, 1).as_object()["args"] = json::array(); },
     ".spec.template.spec.containers[{\"name\":\"side\"}].args"},
    {"taken over by another manager",
     [](auto&, auto& l) { owned(l).at("f:spec").as_object().erase("f:replicas"); },
     ".spec.replicas"},
    {"never applied by us",
     [](auto&, auto& l) { l.at("metadata").at("managedFields").at(1).at("manager") = "kubectl"; },
     ".spec"},
    {"only updated by us",
     [](auto&, auto& l) { l.at("metadata").at("managedFields").at(1).at("operation") = "Update"; },
     ".spec"},
    {"applied by us as a subresource",
     [](auto&, auto& l) {
       l.at("metadata").at("managedFields").at(1).as_object()["subresource"] = "status";
     },
     ".spec"},
    {"applied in another version",
     [](auto&, auto& l) {
       l.at("metadata").at("managedFields").at(1).at("apiVersion") = "apps/v1beta1";
     },
     ".spec"},
    {"being deleted",
     [](auto&, auto& l) { l.at("metadata").as_object()["deletionTimestamp"] = "2026"; },
     ".metadata.deletionTimestamp"},
    {"no managed fields",
     [](auto&, auto& l) { l.at("metadata").as_object().erase("managedFields"); }, ".spec"},
    {"unknown kind of path element",
     [](auto&, auto& l) {
       owned(l).at("f:metadata").at("f:labels").as_object()["x:y"] = json::object();
     },
     ".metadata.labels.y"},
    {"broken key",
     [](auto&, auto& l) {
       owned(l).at("f:spec").at("f:template").at("f:spec").at("f:volumes").as_object()["k:{"] =
           json::object();
     },
     ".spec.template.spec.volumes"},
};

INSTANTIATE_TEST_SUITE_P(UnprovenFields, Edits, testing::ValuesIn(kEdits), [](const auto& one) {
  std::string name = one.param.name;
  std::ranges::replace(name, ' ', '_');
  return name;
});

TEST(UnprovenFields, KnowSetsOfValues) {
  const json::value live =
      json::parse(R"({"apiVersion":"v1","metadata":{"finalizers":["other","ours"],"managedFields":[
      {"manager":"blackstart","operation":"Apply","apiVersion":"v1","fieldsV1":{"f:metadata":{"f:finalizers":{"v:\"ours\"":{}}}}}]}})");
  const json::value same = json::parse(R"({"apiVersion":"v1","metadata":{"finalizers":["ours"]}})");
  const json::value more =
      json::parse(R"({"apiVersion":"v1","metadata":{"finalizers":["ours","new"]}})");
  EXPECT_THAT(unproven(same, live), IsEmpty());
  EXPECT_THAT(unproven(more, live), ElementsAre(".metadata.finalizers"));
}

// We applied the port without its protocol: f:protocol is not ours, and the key says TCP all the
// same.
TEST(UnprovenFields, KnowAKeyThatTheServerDefaulted) {
  const json::value live = json::parse(
      R"({"apiVersion":"v1","spec":{"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]},
      "metadata":{"managedFields":[{"manager":"blackstart","operation":"Apply","apiVersion":"v1",
        "fieldsV1":{"f:spec":{"f:ports":{
          "k:{\"port\":53,\"protocol\":\"TCP\"}":{".":{},"f:port":{}},
          "k:{\"port\":53,\"protocol\":\"UDP\"}":{".":{},"f:port":{},"f:protocol":{}}}}}}]}})");
  const auto ports = [](const char* text) {
    return json::value{{"apiVersion", "v1"}, {"spec", {{"ports", json::parse(text)}}}};
  };
  EXPECT_THAT(unproven(ports(R"([{"port":53,"protocol":"UDP"},{"port":53}])"), live), IsEmpty());
  EXPECT_THAT(unproven(ports(R"([{"port":53},{"port":53,"protocol":"TCP"}])"), live),
              ElementsAre(".spec.ports"));
  EXPECT_THAT(unproven(ports(R"([{"port":53},{"port":53}])"), live), ElementsAre(".spec.ports"));
}

TEST(UnprovenFields, AreNamedUpToTheLimit) {
  json::value desired = json::parse(R"({"apiVersion":"apps/v1","spec":{"a":1,"b":2,"c":3,"d":4}})");
  EXPECT_EQ(unproven_fields(desired, json::parse(kLive), "blackstart", 2).size(), 2u);
}

TEST(ChangedFields, IgnoreVersionsTimesAndStatus) {
  const json::value before = json::parse(kLive);
  json::value after = before;
  after.at("metadata").at("resourceVersion") = "8";
  after.at("metadata").at("generation") = 2;
  after.at("metadata").at("managedFields").at(1).at("time") = "2026-02-02T00:00:00Z";
  after.at("status").at("replicas") = 1;
  after.at("metadata").at("managedFields").at(0).at("fieldsV1") = json::object();
  EXPECT_THAT(changed_fields(before, after, false, 5), IsEmpty());
  EXPECT_THAT(changed_fields(before, after, true, 5), ElementsAre(".status.replicas"));
}

TEST(ChangedFields, TellAFieldWithoutValueFromNone) {
  const json::value before = json::parse(R"({"spec":{"any":[1,{"b":null}]}})");
  const json::value after = json::parse(R"({"spec":{"any":[1,{}]}})");
  EXPECT_THAT(changed_fields(before, after, false, 5), ElementsAre(".spec.any[1].b"));
  EXPECT_THAT(changed_fields(after, before, false, 5), ElementsAre(".spec.any[1].b"));
}

TEST(ChangedFields, NameWhatChangedAndOwnershipOnlyWhenNothingElseDid) {
  const json::value before = json::parse(kLive);
  json::value after = before;
  owned(after).erase("f:metadata");
  EXPECT_THAT(changed_fields(before, after, false, 5), ElementsAre(".metadata.managedFields"));
  container(after, 1).at("image") = "envoy:2";
  after.at("spec").as_object().erase("replicas");
  EXPECT_THAT(
      changed_fields(before, after, false, 5),
      testing::UnorderedElementsAre(".spec.replicas", ".spec.template.spec.containers[1].image"));
}

}  // namespace
}  // namespace blackstart::kube
