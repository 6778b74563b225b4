#include "orchestrator/kube/immutable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ApiError refused(const std::string& field, const std::string& message) {
  boost::json::value status = {
      {"kind", "Status"},
      {"reason", "Invalid"},
      {"message", "X \"a\" is invalid: " + field + ": " + message},
      {"details",
       {{"causes", boost::json::array{boost::json::object{
                       {"reason", "x"}, {"field", field}, {"message", message}}}}}}};
  return error_of(json_response(422, boost::json::serialize(status)), "apply X a", WallTime());
}

struct Row {
  const char* field;
  const char* message;
};

// As the API server of Kubernetes 1.36 says it.
constexpr Row kImmutable[] = {
    {"spec.template", "Invalid value: core.PodTemplateSpec{}: field is immutable"},
    {"spec.selector", "Invalid value: {\"matchLabels\":{}}: field is immutable"},
    {"spec",
     "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' are "
     "forbidden"},
    {"spec", "Forbidden: spec is immutable after creation except resources.requests"},
    {"spec.clusterIPs[0]", "Invalid value: [\"10.0.0.1\"]: may not change once set"},
    {"data", "Forbidden: field is immutable when `immutable` is set"},
    {"roleRef", "Invalid value: rbac.RoleRef{}: cannot change roleRef"},
    {"provisioner", "Forbidden: updates to provisioner are forbidden."},
    {"value", "Forbidden: may not be changed in an update."},
    {"spec", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"},
};

TEST(Immutable, FieldsAreKnownByTheServersWords) {
  for (const Row& row : kImmutable)
    EXPECT_THAT(immutable_fields(refused(row.field, row.message)), ElementsAre(row.field))
        << row.message;
  EXPECT_THAT(immutable_fields(refused("spec.ports[0].port", "Required value")), IsEmpty());
  EXPECT_THAT(immutable_fields(refused("metadata.name", "Forbidden: no")), IsEmpty());
}

std::string change(const char* live, const char* wanted, const char* field) {
  return change_of(boost::json::parse(live), boost::json::parse(wanted), field);
}

TEST(Immutable, AChangeIsNamedWhereItIs) {
  EXPECT_EQ(change(R"({"spec": {"template": {"c": [{"image": "a:1", "x": 1}], "d": 1}}})",
                   R"({"spec": {"template": {"c": [{"image": "a:2"}]}}})", "spec.template"),
            R"(spec.template.c[0].image is "a:1", wanted is "a:2")");
  EXPECT_EQ(change(R"({"roleRef": {"name": "a"}})", R"({"roleRef": {"name": "b"}})", "roleRef"),
            R"(roleRef.name is "a", wanted is "b")");
  EXPECT_EQ(change(R"({"spec": {}})", R"({"spec": {"clusterIP": "1"}})", "spec.clusterIPs[0]"),
            R"(spec.clusterIP is not there, wanted is "1")");
  EXPECT_EQ(change(R"({"data": {"a": "1"}})", R"({"data": {"a": "1"}})", "data"),
            "data would change");
}

TEST(Immutable, AChangeOfASecretShowsNoValue) {
  EXPECT_EQ(change(R"({"kind": "Secret", "data": {"k": "b2xk"}})",
                   R"({"kind": "Secret", "stringData": {"k": "new"}})", "data"),
            "data would change");
}

TEST(Immutable, WhatHoldsDataIsNeverDeletedToBeMadeAgain) {
  for (const char* kind : {"PersistentVolumeClaim", "PersistentVolume", "Namespace"}) {
    const ObjectRef ref("v1", kind, "", "a");
    EXPECT_TRUE(holds_more_than_itself(ref)) << kind;
    for (const char* recreatable : recreatable_kinds()) EXPECT_STRNE(recreatable, kind);
  }
  const ApiError error = refused("spec", "Forbidden: spec is immutable after creation");
  const Error said = cannot_change(
      error, immutable_fields(error), boost::json::parse(R"({"spec": {"a": 1}})"),
      boost::json::parse(
          R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"a": 2}})"));
  EXPECT_THAT(said.full_text(), HasSubstr("spec.a is 1, wanted is 2"));
  EXPECT_THAT(said.hint(), HasSubstr("it holds data"));
}

}  // namespace
}  // namespace blackstart::kube
