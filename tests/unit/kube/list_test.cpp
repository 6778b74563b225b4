// Lists that come in pages, whatever happens between two of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/world/answer_too_large.h"
#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t kObjects = 1000;

/// A server with a thousand ConfigMaps that come in order; answers of more than `takes` of them are
/// too large for us.
class ListTest : public testing::Test {
 protected:
  ListTest() {
    scripted.serve_discovery();
    auto others = scripted.http.handler;
    scripted.http.handler = [this, others](HttpRequest request) -> Task<HttpResponse> {
      if (request.url.find("/configmaps") == std::string::npos) return others(std::move(request));
      return page(this, std::move(request));
    };
  }

  static size_t number_in(const std::string& url, const std::string& key) {
    const size_t at = url.find(key);
    return at == std::string::npos ? 0 : std::stoul(url.substr(at + key.size()));
  }

  static Task<HttpResponse> page(ListTest* test, HttpRequest request) {
    const size_t limit = number_in(request.url, "limit=");
    const size_t begin = number_in(request.url, "continue=");
    test->asked.push_back(std::to_string(begin) + "+" + std::to_string(limit));
    const size_t end = limit == 0 ? kObjects : std::min(kObjects, begin + limit);
    if (end - begin > test->takes) throw AnswerTooLarge("GET " + request.url, 64u << 20);
    if (begin > 0 && test->expires-- > 0)
      co_return status_response(410, "Expired", "the continue token is too old");
    std::string items;
    for (size_t i = begin; i < end; ++i)
      items += std::string(i == begin ? "" : ",") + R"({"metadata":{"name":")" + std::to_string(i) +
               "\"}}";
    const std::string next = end < kObjects ? std::to_string(end) : "";
    co_return json_response(
        200, R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7",)"
             R"("continue":")" +
                 next + R"("},"items":[)" + items + "]}");
  }

  Client::List listed() { return *scripted.result(scripted.client().list("v1", "ConfigMap", "a")); }

  void expect_all(const Client::List& list) {
    ASSERT_EQ(list.items.size(), kObjects);
    for (size_t i = 0; i < kObjects; ++i)
      EXPECT_EQ(text_at(list.items[i], {"metadata", "name"}), std::to_string(i));
    EXPECT_EQ(list.resource_version, "7");
  }

  ScriptedWorld scripted;
  size_t takes = kObjects;
  int expires = 0;                 // pages that are answered with 410
  std::vector<std::string> asked;  // "begin+limit"
};

TEST_F(ListTest, ComesInPages) {
  expect_all(listed());
  EXPECT_THAT(asked, ElementsAre("0+500", "500+500"));
}

TEST_F(ListTest, OfLargeObjectsComesInSmallerPages) {
  takes = 300;
  expect_all(listed());
  EXPECT_THAT(asked, ElementsAre("0+500", "0+250", "250+250", "500+250", "750+250"));
}

TEST_F(ListTest, OfObjectsAsLargeAsAnAnswerComesOneByOne) {
  takes = 1;
  expect_all(listed());
  EXPECT_EQ(asked[8], "0+1");
  EXPECT_EQ(asked.back(), "999+1");
}

TEST_F(ListTest, OfOneThatIsTooLargeFails) {
  takes = 0;
  try {
    listed();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
    EXPECT_THAT(error.full_text(), HasSubstr("the answer is too large"));
  }
  EXPECT_EQ(asked.back(), "0+1");
}

TEST_F(ListTest, WhosePagesExpireBeginsAnew_AndStillInPages) {
  takes = 500;
  expires = 1;
  expect_all(listed());
  EXPECT_THAT(asked, ElementsAre("0+500", "500+500", "0+500", "500+500"));
}

TEST_F(ListTest, WhosePagesExpireAgainAndAgainFails) {
  expires = 1000;
  EXPECT_THROW(listed(), ApiError);
  EXPECT_LT(asked.size(), 10u);
}

}  // namespace
}  // namespace blackstart::kube
