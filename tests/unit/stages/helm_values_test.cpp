#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/helm/values.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages::helm {
namespace {

using boost::json::parse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(HelmValues, LaterFilesWin_MapsMerge_ListsAndNullsReplace) {
  kube::MemoryFiles files;
  files.content["/a.yaml"] = "server: {replicas: 1, image: {tag: a}}\nlist: [1, 2]\nkept: yes\n";
  files.content["/b.yaml"] = "server: {image: {tag: b}}\nlist: [3]\nkept: null\n";
  files.content["/empty.yaml"] = "# nothing\n";
  EXPECT_EQ(
      load_values(files, {"/a.yaml", "/b.yaml", "/empty.yaml"}),
      parse(R"({"server": {"replicas": 1, "image": {"tag": "b"}}, "list": [3], "kept": null})"));
}

TEST(HelmValues, AMapAgainstAScalar_IsReplacedEitherWay) {
  EXPECT_EQ(merge_values(parse(R"({"a": {"b": 1}})"), parse(R"({"a": 2})")), parse(R"({"a": 2})"));
  EXPECT_EQ(merge_values(parse(R"({"a": 2})"), parse(R"({"a": {"b": 1}})")),
            parse(R"({"a": {"b": 1}})"));
}

TEST(HelmValues, NumbersAreEqualByValue_AbsentAndNullAreNot) {
  EXPECT_TRUE(same_values(parse("[1, 2.0]"), parse("[1.0, 2]")));
  EXPECT_FALSE(same_values(parse("1"), parse("\"1\"")));
  EXPECT_FALSE(same_values(parse(R"({"a": null})"), parse("{}")));
}

TEST(HelmValues, Differences_NamePathsAndNeverValues) {
  auto left = parse(R"({"a": {"b": "secret", "c": 1}, "d": 1})");
  auto right = parse(R"({"a": {"b": "other", "c": 1.0}, "e": 2})");
  EXPECT_THAT(value_differences(left, right, 9), ElementsAre(".a.b", ".d", ".e"));
  EXPECT_THAT(value_differences(left, right, 2), ElementsAre(".a.b", ".d"));
  EXPECT_THAT(value_differences(left, left, 9), IsEmpty());
}

TEST(HelmValues, AMissingFileAndAListAreUsageErrorsWithTheirPlace) {
  kube::MemoryFiles files;
  files.content["/list.yaml"] = "- a\n";
  for (const char* path : {"/none.yaml", "/list.yaml"}) {
    try {
      load_values(files, {path});
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
      EXPECT_THAT(error.full_text(), HasSubstr(path));
    }
  }
}

}  // namespace
}  // namespace blackstart::stages::helm
