#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/helm/chart.h"
#include "tests/unit/stages/bench.h"
#include "tests/unit/stages/helm_fixture.h"

namespace blackstart::stages::helm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

plan::Value option(const char* json) { return plan::Value::of(boost::json::parse(json), {}); }

/// The folder that release_secret()'s chart was made of.
kube::MemoryFiles chart_folder() {
  kube::MemoryFiles files;
  files.content["/c/Chart.yaml"] = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
  files.content["/c/values.yaml"] = "web: {port: 8080}\n";
  files.content["/c/templates/a.yaml"] = "kind: ConfigMap\n";
  files.content["/c/crds/b.yaml"] = "kind: X\n";
  return files;
}

ChartDifference difference(const kube::MemoryFiles& files) {
  return compare_chart(read_chart(files, option(R"({"path": "/c"})")),
                       decode_release(release_secret(1, "deployed", "{}")));
}

TEST(HelmChart, TheSameFolder_DoesNotDiffer) {
  EXPECT_TRUE(difference(chart_folder()).known);
  EXPECT_THAT(difference(chart_folder()).phrases, IsEmpty());
}

TEST(HelmChart, EveryKindOfChange_IsNamed) {
  kube::MemoryFiles files = chart_folder();
  files.content["/c/templates/a.yaml"] = "kind: Secret\n";
  files.content["/c/templates/new.yaml"] = "kind: Service\n";
  files.content.erase("/c/crds/b.yaml");
  files.content["/c/values.yaml"] = "web: {port: 81}\n";
  EXPECT_THAT(
      difference(files).phrases,
      ElementsAre("templates/a.yaml has changed", "templates/new.yaml is new",
                  "crds/b.yaml is gone", "the chart's values.yaml has changed at .web.port"));
}

TEST(HelmChart, AnIgnoredFile_DoesNotCount) {
  kube::MemoryFiles files = chart_folder();
  files.content["/c/.helmignore"] = "# notes\n*.orig\n/ci/\n";
  files.content["/c/templates/a.yaml.orig"] = "x";
  files.content["/c/ci/test.yaml"] = "x";
  EXPECT_THAT(difference(files).phrases, ElementsAre(".helmignore is new"));
}

TEST(HelmChart, WithChartsInIt_ItsContentIsOnlyKnownByTheStamp) {
  kube::MemoryFiles files = chart_folder();
  files.content["/c/charts/sub/Chart.yaml"] = "name: sub\nversion: 1.0.0\n";
  EXPECT_FALSE(difference(files).known);
}

TEST(HelmChart, AVersionOfARepository_IsComparedByNameAndVersion) {
  kube::MemoryFiles files;
  Release release = decode_release(release_secret(1, "deployed", "{}"));
  Chart same =
      read_chart(files, option(R"({"name": "web", "repo": "https://r", "version": "1.0.0"})"));
  EXPECT_TRUE(compare_chart(same, release).known);
  EXPECT_THAT(compare_chart(same, release).phrases, IsEmpty());
  EXPECT_THAT(same.reference.flags, ElementsAre("--repo", "https://r", "--version", "1.0.0"));
  Chart newer =
      read_chart(files, option(R"({"name": "web", "repo": "oci://r/x", "version": "1.1.0"})"));
  EXPECT_EQ(newer.reference.argument, "oci://r/x/web");
  EXPECT_THAT(compare_chart(newer, release).phrases,
              ElementsAre("chart version is 1.0.0, not 1.1.0"));
}

TEST(HelmChart, WhatNamesNoChart_IsAUsageError) {
  kube::MemoryFiles files = chart_folder();
  files.content["/nochart/README"] = "x";
  for (const char* json : {"{}", R"({"name": "web"})", R"({"name": "web", "repo": "https://r"})",
                           R"({"path": "/none"})", R"({"path": "/nochart"})",
                           R"({"path": "/c", "version": "1.0.0"})"}) {
    try {
      read_chart(files, option(json));
      ADD_FAILURE() << json;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage) << json;
      EXPECT_NE(error.hint(), "") << json;
    }
  }
}

TEST(HelmChart, IgnoreRules_FollowShellPatterns) {
  IgnoreRules rules(".git/\n*.swp\n/top.txt\ndocs/*.md\n!keep.swp\n");
  for (const char* ignored :
       {".git/config", "a/.git/x", "b.swp", "a/b.swp", "top.txt", "docs/a.md"})
    EXPECT_TRUE(rules.ignores(ignored)) << ignored;
  for (const char* kept :
       {"a/top.txt", "docs/a/b.md", "keep.swp", "git/config", "templates/a.yaml"})
    EXPECT_FALSE(rules.ignores(kept)) << kept;
}

}  // namespace
}  // namespace blackstart::stages::helm
