#include "orchestrator/kube/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const Manifests& manifests) {
  std::vector<std::string> result;
  for (const Manifest& manifest : manifests) result.push_back(manifest.ref().to_string());
  return result;
}

std::vector<std::string> read(std::string_view text) {
  Diagnostics diagnostics;
  const Manifests manifests = read_manifests(text, "m.yaml", diagnostics);
  std::vector<std::string> result = names(manifests);
  for (const Diagnostic& finding : diagnostics.sorted())
    result.push_back(finding.place.to_string() + ": " + finding.message);
  return result;
}

constexpr const char* kMap =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ns}\n";

TEST(Manifests, AreReadFromSeveralDocumentsWithoutTheEmptyOnes) {
  EXPECT_THAT(read(std::string("---\n---\n# only a comment\n---\n") + kMap +
                   "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n---\n"),
              ElementsAre("ConfigMap ns/a", "Namespace ns"));
}

TEST(Manifests, AreReadFromJson) {
  EXPECT_THAT(read(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}})"),
              ElementsAre("Pod p"));
}

TEST(Manifests, OfAListAreTakenApart) {
  EXPECT_THAT(
      read(
          "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: p}}\n"
          "- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Node, metadata: {name: "
          "q}}]}\n"),
      ElementsAre("Pod p", "Node q"));
}

TEST(Manifests, OfATypedListTakeItsKind) {
  Diagnostics diagnostics;
  const auto found = read_manifests(
      "apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: a}}]\n", "f", diagnostics);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].ref(), ObjectRef("v1", "ConfigMap", "", "a"));
}

TEST(Manifests, ThatAreNoObjectsAreReportedWithTheirPlace) {
  EXPECT_THAT(read("metadata: {name: a}\n"), ElementsAre("m.yaml:1:1: an object without kind"));
  EXPECT_THAT(read("kind: Pod\nmetadata: {name: a}\n"),
              ElementsAre("m.yaml:1:1: Pod without apiVersion"));
  EXPECT_THAT(read("---\napiVersion: v1\nkind: Pod\n"),
              ElementsAre("m.yaml:2:1: Pod without metadata.name"));
  EXPECT_THAT(read("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n"),
              ElementsAre(HasSubstr("generateName")));
  EXPECT_THAT(read("just text\n"), ElementsAre("m.yaml:1:1: a document that is no object"));
  EXPECT_THAT(read("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"),
              ElementsAre(HasSubstr("Kustomization is no object")));
}

TEST(Manifests, WithANumberThatTheServerWouldMakeZeroOf_AreReported) {
  const std::string head = std::string(kMap) + "spec: {n: ";
  EXPECT_THAT(read(head + "9223372036854775807}\n"), ElementsAre("ConfigMap ns/a"));
  EXPECT_THAT(read(head + "-9223372036854775808}\n"), ElementsAre("ConfigMap ns/a"));
  EXPECT_THAT(read(head + "'9223372036854775808'}\n"), ElementsAre("ConfigMap ns/a"));
  for (const char* number : {"9223372036854775808", "1e19", "-9223372036854775809"})
    EXPECT_THAT(read(head + number + "}\n"),
                ElementsAre("ConfigMap ns/a", "m.yaml:4:11: '" + std::string(number) +
                                                  "' is more than 64 bits hold"));
}

TEST(Manifests, InJson_ACharacterMayBeTwoEscapes) {
  const auto value_of = [](const std::string& value) {
    Diagnostics diagnostics;
    const Manifests read = read_manifests(
        R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": ")" +
            value + "\"}}",
        "m.json", diagnostics);
    EXPECT_TRUE(diagnostics.empty());
    return read.empty() ? "" : text_at(read[0].object, {"data", "k"});
  };
  EXPECT_EQ(value_of("a \\ud83d\\uDE00 b"), "a \xF0\x9F\x98\x80 b");
  EXPECT_EQ(value_of("\\\\ud83d\\\\ude00"), "\\ud83d\\ude00") << "an escaped backslash";
  EXPECT_EQ(value_of("\\u00e9"), "\xC3\xA9");
}

TEST(Manifests, OfASecret_AreReportedWithoutTheValue) {
  EXPECT_THAT(
      read("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: ns}\n"
           "stringData: {pin: 9223372036854775808}\n"),
      ElementsAre("Secret ns/a", "m.yaml:4:19: the number of a Secret is more than 64 bits hold"));
}

TEST(Manifests, WithANameThatWouldBeAnotherPath_AreReported) {
  for (const char* name : {".", "..", "a/b", "a%2fb"}) {
    const std::string text = name;
    EXPECT_THAT(read("apiVersion: v1\nkind: Pod\nmetadata: {name: '" + text + "'}\n"),
                ElementsAre("m.yaml:1:1: no object is called Pod " + text));
    EXPECT_THAT(read("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: '" + text + "'}\n"),
                ElementsAre("m.yaml:1:1: no object is called Pod " + text + "/a"));
  }
}

TEST(Manifests, WithANameThatYamlReadsAsNoStringAreReported) {
  EXPECT_THAT(read("apiVersion: v1\nkind: Pod\nmetadata: {name: no}\n"),
              ElementsAre("m.yaml:1:1: metadata.name is no string but false"));
  EXPECT_THAT(read("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 1.10}\n"),
              ElementsAre(HasSubstr("metadata.namespace is no string but 1.1")));
}

TEST(Manifests, DefinedTwiceAreReported_WhateverTheVersion) {
  const auto found = read(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\n"
      "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n");
  EXPECT_THAT(found, testing::Contains(HasSubstr("Deployment a is defined twice")));
}

TEST(Manifests, WithAForgottenSeparatorShowAsDuplicateKeys) {
  EXPECT_THAT(read(std::string(kMap) + kMap),
              testing::Contains(HasSubstr("duplicate key 'apiVersion'")));
}

TEST(Manifests, OfAFolderComeInOrderOfName) {
  MemoryFiles files;
  auto document = [](const std::string& name) {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n";
  };
  files.content = {{"/m/b.yaml", document("b")},
                   {"/m/a.yml", document("a")},
                   {"/m/sub/c.json", document("c")},
                   {"/m/README.md", "no"},
                   {"/m/z.yaml", document("a")}};
  Diagnostics diagnostics;
  EXPECT_THAT(names(load_manifests(files, "/m", diagnostics)),
              ElementsAre("ConfigMap a", "ConfigMap b", "ConfigMap c", "ConfigMap a"));
  ASSERT_EQ(diagnostics.error_count(), 1u);
  EXPECT_EQ(diagnostics.sorted()[0].hint, "it is also defined at /m/a.yml:1:1: remove one of them");
  EXPECT_THROW(load_manifests(files, "/nowhere", diagnostics), Error);
  files.content = {{"/e/README.md", ""}};
  EXPECT_THROW(load_manifests(files, "/e", diagnostics), Error);
}

TEST(ThrowIfBroken, CarriesAllFindings) {
  Diagnostics diagnostics;
  throw_if_broken(diagnostics, "manifests");
  read_manifests("kind: Pod\n---\n- 1\n", "f", diagnostics);
  try {
    throw_if_broken(diagnostics, "manifests");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
    EXPECT_EQ(error.full_text(),
              "manifests: 2 problems: f:1:1: Pod without apiVersion: f:3:1: a document that is no "
              "object");
    EXPECT_EQ(error.place().to_string(), "f:1:1");
  }
}

TEST(DesiredForm, LeavesOutWhatOnlyTheServerSets) {
  Diagnostics diagnostics;
  const auto found = read_manifests(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, uid: u, resourceVersion: '1', "
      "generation: 1, "
      "creationTimestamp: null, selfLink: s, managedFields: [], labels: {l: x}}\nstatus: {kept: "
      "true}\n",
      "f", diagnostics);
  EXPECT_EQ(
      boost::json::serialize(desired_form(found.at(0).object)),
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"l":"x"}},"status":{"kept":true}})");
}

TEST(DesiredForm, OfASecretFoldsStringDataOverData) {
  Diagnostics diagnostics;
  const auto found = read_manifests(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: b2xk, b: Yg==}\n"
      "stringData: {a: new}\n",
      "f", diagnostics);
  EXPECT_EQ(
      boost::json::serialize(desired_form(found.at(0).object)),
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"a":"bmV3","b":"Yg=="}})");
}

}  // namespace
}  // namespace blackstart::kube
