#include "stages/http/json_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace blackstart::stages::http {
namespace {

TEST(JsonPath, LeadsToOnePlace) {
  const auto document =
      boost::json::parse(R"({"a":{"b.c/d":[10,{"e":"found"}],"it's":1},"$":2,"":3})");
  const std::pair<const char*, const char*> rows[] = {
      {"$.a['b.c/d'][1].e", R"("found")"},
      {".a[\"b.c/d\"][0]", "10"},
      {"['a']['it\\'s']", "1"},
      {"['$']", "2"},
      {"['']", "3"},
      {".a.none", "nothing"},
      {".a['b.c/d'][2]", "nothing"},
      {".a[0]", "nothing"},
      {".a['b.c/d'].e", "nothing"},
  };
  for (const auto& [path, wanted] : rows) {
    const auto* found = JsonPath(path).find(document);
    EXPECT_EQ(found ? boost::json::serialize(*found) : "nothing", wanted) << path;
  }
  EXPECT_EQ(JsonPath("$").find(document), &document);
  EXPECT_EQ(JsonPath("").find(document), &document);
}

TEST(JsonPath, WhatIsNone_IsRefusedWithTheCharacter) {
  const std::pair<const char*, const char*> rows[] = {
      {"a", "expected '.' or '[' at character 1"},
      {".a..b", "at character 4"},
      {".a.", "expected a name"},
      {".a[*]", "expected an index or a quoted name at character 4"},
      {".a[?(@.b)]", "expected an index or a quoted name at character 4"},
      {".*", "['a.b'] at character 2 of '.*'"},
      {".a[-1]", "expected an index or a quoted name at character 4"},
      {".a[99999999999999999999]", "expected an index or a quoted name"},
      {".a[1", "expected ']' at character 5"},
      {".a['b", "expected a closing quote at character 6"},
      {".a['b'", "expected ']'"},
      {".a[1]b", "expected '.' or '['"},
  };
  for (const auto& [path, words] : rows) {
    try {
      JsonPath read(path);
      FAIL() << path;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(words)) << path;
    }
  }
}

}  // namespace
}  // namespace blackstart::stages::http
