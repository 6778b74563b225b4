#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "orchestrator/kube/object.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kPath = "/api/v1/namespaces/apps/secrets/login";

std::string head(const std::string& data, const std::string& more = "") {
  return "name: login\nnamespace: apps\ndata: " + data + more;
}

std::string value_of(Bench& bench, const std::string& key) {
  auto* secret = bench.api.find(kPath);
  return secret ? base64_decode(kube::text_at(*secret, {"data", key})).value_or("?") : "no secret";
}

TEST(Secret, AllSources_ArriveAndTheSecondRunWritesNothing) {
  Bench bench("kube.secret", head("{a: {value: alpha-value}, b: {fromEnv: TOKEN}, c: {fromFile: "
                                  "key.txt}, d: {random: {length: 24, encoding: hex}}}"));
  bench.environment.variables["TOKEN"] = "token-of-the-environment";
  bench.files.content["/p/key.txt"] = "line\n";
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_EQ(value_of(bench, "a"), "alpha-value");
  EXPECT_EQ(value_of(bench, "b"), "token-of-the-environment");
  EXPECT_EQ(value_of(bench, "c"), "line\n");
  EXPECT_EQ(value_of(bench, "d").size(), 48u);
  EXPECT_EQ(bench.converge(), 0);
  EXPECT_EQ(bench.api.writes.size(), 1u);
}

TEST(Secret, Plan_NamesKeysAndNeverValues) {
  Bench bench("kube.secret", head("{password: {value: very-secret-text}, salt: {random: 16}}"));
  Decision decision = bench.decide();
  EXPECT_THAT(decision.actions.front().details, ElementsAre("+ password", "+ salt (random)"));
  bench.converge();
  bench.context().output(Stream::kStdout,
                         "a tool prints very-secret-text and " + value_of(bench, "salt"));
  EXPECT_THAT(bench.published(), HasSubstr("a tool prints"));
  EXPECT_THAT(bench.published(), Not(HasSubstr("very-secret-text")));
  EXPECT_THAT(bench.published(), Not(HasSubstr(value_of(bench, "salt"))));
}

TEST(Secret, Present_KeepsItsValuesAndOnlyMissingKeysAreAdded) {
  Bench bench("kube.secret",
              head("{a: {value: from-the-plan}, b: {random: 16}, c: {value: new-key}}"));
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
      "data": {"a": "b2xk", "b": "cmFuZG9t"}})"));
  EXPECT_THAT(bench.decide().actions.front().details, ElementsAre("+ c"));
  bench.converge();
  EXPECT_EQ(value_of(bench, "a"), "old");
  EXPECT_EQ(value_of(bench, "b"), "random");
  EXPECT_EQ(value_of(bench, "c"), "new-key");
}

TEST(Secret, KeepIsFalse_ValuesFollowThePlanButRandomOnesStay) {
  Bench bench("kube.secret", head("{a: {value: from-the-plan}, b: {random: 16}}", "\nkeep: false"));
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
      "data": {"a": "b2xk", "b": "cmFuZG9t"}})"));
  EXPECT_THAT(bench.decide().actions.front().details, ElementsAre("~ a"));
  bench.converge();
  EXPECT_EQ(value_of(bench, "a"), "from-the-plan");
  EXPECT_EQ(value_of(bench, "b"), "random");
}

TEST(Secret, MadeByAnotherBetweenPlanAndApply_KeepsItsRandomValue) {
  Bench bench("kube.secret", head("{b: {random: 16}}"));
  bench.decide();
  bench.api.put(
      kPath,
      boost::json::parse(
          R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"b": "Zmlyc3Q="}})"));
  bench.act("apply");
  EXPECT_EQ(value_of(bench, "b"), "first");
}

TEST(Secret, WhatIsTakenOutOfThePlan_IsSeenAndTakenAway) {
  Bench bench("kube.secret", head("{a: {value: from-the-plan}}", "\nlabels: {team: x}"));
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
      "data": {"a": "b2xk", "old": "b2xk", "theirs": "b2xk"}, "metadata": {"labels": {"team": "x"},
      "managedFields": [
        {"manager": "blackstart", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1":
          {"f:data": {".": {}, "f:a": {}, "f:old": {}}, "f:metadata": {"f:labels": {"f:team": {}, "f:was": {}}}}},
        {"manager": "other", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1":
          {"f:data": {"f:theirs": {}}}}]}})"));
  Decision decision = bench.decide();
  ASSERT_EQ(decision.kind, Decision::Kind::kAct);
  EXPECT_THAT(decision.actions.front().details, ElementsAre("- old", "- label was"));
  EXPECT_TRUE(decision.actions.front().destructive);
}

TEST(Secret, AnotherType_IsRefusedNotReplaced) {
  Bench bench("kube.secret",
              head("{a: {value: from-the-plan}}", "\ntype: kubernetes.io/basic-auth"));
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque"})"));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("has type Opaque"));
}

/// A usage error that names `what`, with its place.
void expect_missing(Bench& bench, const std::string& what) {
  try {
    bench.decide();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
    EXPECT_THAT(error.summary(), HasSubstr(what));
    EXPECT_TRUE(error.place().known());
  }
  EXPECT_THAT(bench.api.writes, IsEmpty());
}

TEST(Secret, MissingVariableOrFile_IsNamedWithoutAnyWrite) {
  Bench variable("kube.secret", head("{a: {fromEnv: NOT_SET}}"));
  expect_missing(variable, "NOT_SET is not set");
  variable.outputs.clear();
  expect_missing(variable, "NOT_SET is not set");
  Bench file("kube.secret", head("{a: {fromFile: no-such-file}}"));
  expect_missing(file, "/p/no-such-file");
}

constexpr const char* kLogin =
    R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"a": "b2xk"}})";

TEST(Secret, MissingVariableOfAKeyThatIsKept_IsNotNeeded) {
  Bench bench("kube.secret", head("{a: {fromEnv: NOT_SET}}"));
  bench.api.put(kPath, boost::json::parse(kLogin));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Secret, MissingVariableToCompareWith_LeavesOpenWhetherItIsAsWanted) {
  Bench bench("kube.secret", head("{a: {fromEnv: NOT_SET}}", "\nkeep: false"));
  bench.api.put(kPath, boost::json::parse(kLogin));
  EXPECT_THAT(bench.observe().reason, HasSubstr("cannot be told: environment variable NOT_SET"));
  expect_missing(bench, "NOT_SET is not set");
}

TEST(Secret, MissingVariable_RemovalDoesWithoutIt) {
  for (const char* keep : {"", "\nkeep: false"}) {
    Bench bench("kube.secret", head("{a: {fromEnv: NOT_SET}}", keep));
    EXPECT_THAT(bench.decide_removal().reason, HasSubstr("not there"));
    bench.api.put(kPath, boost::json::parse(kLogin));
    EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct) << keep;
  }
}

TEST(Secret, MistakesInData_AreNamed) {
  const std::map<std::string, std::string> mistakes = {
      {"{a: {value: x, fromEnv: TOKEN}}", "two sources"},
      {"{a: {}}", "no source"},
      {"{a: {random: {length: 2}}}", "8 to 4096"},
      {"{a: {random: {length: 16, encoding: rot13}}}", "alphanumeric, hex or base64"},
  };
  for (const auto& [data, message] : mistakes) {
    Bench bench("kube.secret", head(data));
    try {
      bench.observe();
      ADD_FAILURE() << data;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage) << data;
      EXPECT_THAT(error.summary(), HasSubstr(message));
    }
  }
}

TEST(Secret, UnknownSource_IsAMistakeInThePlan) {
  try {
    Bench bench("kube.secret", head("{a: {valeu: x}}"));
    FAIL() << "no error";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown key 'valeu' in 'a'"));
  }
}

TEST(Secret, Removal_TakesOnlyOneThatWeMade) {
  Bench bench("kube.secret", head("{a: {value: from-the-plan}}"));
  bench.api.manager = "somebody";
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque"})"));
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kSatisfied);
  bench.api.manager = "blackstart";
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque"})"));
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
}

TEST(Secret, Removal_LeavesOneThatWasMadeAnewSinceTheLook) {
  Bench bench("kube.secret", head("{a: {value: from-the-plan}}"));
  bench.converge();
  ASSERT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
  auto anew = *bench.api.find(kPath);
  anew.at("metadata").as_object()["uid"] = "another";
  bench.api.put(kPath, anew);
  bench.act("remove");
  EXPECT_NE(bench.api.find(kPath), nullptr);
}

TEST(Secret, ThereBefore_IsLeftWhenWeOnlyAddedAKey) {
  Bench bench("kube.secret", head("{a: {value: from-the-plan}}"));
  bench.api.put(kPath,
                boost::json::parse(R"({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
      "data": {"a": "b2xk", "theirs": "b2xk"}, "metadata": {"managedFields": [
        {"manager": "helm", "operation": "Update", "time": "2026-01-01T00:00:00Z"},
        {"manager": "blackstart", "operation": "Apply", "time": "2026-01-02T00:00:00Z"}]}})"));
  Decision decision = bench.decide_removal();
  EXPECT_EQ(decision.kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(decision.reason, HasSubstr("not made by blackstart"));
}

}  // namespace
}  // namespace blackstart::stages
