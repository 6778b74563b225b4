// Manifests behind a URL: pins, redirects, refusals, and a run without a network.
#include "stages/kube/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const std::string kText = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const std::string kUrl = "https://example.com/releases/v1/a.yaml";

class Download : public testing::Test {
 protected:
  /// The stage with `url` and more; `answers` by URL, any other is a 404.
  std::unique_ptr<Bench> bench(const std::string& url, const std::string& more = "") {
    auto made = std::make_unique<Bench>("kube.manifests", "url: " + url + more);
    made->http.handler = [this, api = made->http.handler](HttpRequest request) {
      return request.url.starts_with("https://api/") ? api(std::move(request))
                                                     : answer(request.url);
    };
    return made;
  }
  Task<HttpResponse> answer(std::string url) {
    asked.push_back(url);
    auto found = answers.find(url);
    HttpResponse none;
    none.status = 404;
    co_return found == answers.end() ? none : found->second;
  }
  std::string refusal(Bench& stage) {
    try {
      stage.observe();
    } catch (const Error& error) {
      return error.full_text();
    }
    return "nothing";
  }
  void redirect(const std::string& from, const std::string& to) {
    answers[from].status = 302;
    answers[from].headers["location"] = to;
  }
  std::map<std::string, HttpResponse> answers{{kUrl, {200, {}, kText}}};
  std::vector<std::string> asked;
  const std::string pin = "\nsha256: " + sha256_hex(kText);
};

TEST_F(Download, Unpinned_IsAppliedWithAWarningThatNamesThePin) {
  auto stage = bench(kUrl);
  EXPECT_EQ(stage->converge(), 1);
  EXPECT_THAT(stage->published(), HasSubstr("is not pinned"));
  EXPECT_THAT(stage->published(), HasSubstr("sha256: " + sha256_hex(kText)));
}

TEST_F(Download, Pinned_IsKeptAndNeedsNoNetworkAgain) {
  auto first = bench(kUrl, pin);
  EXPECT_EQ(first->converge(), 1);
  EXPECT_THAT(first->published(), Not(HasSubstr("is not pinned")));
  answers.clear();
  auto second = bench(kUrl, pin);
  for (const auto& [path, text] : first->files.content)
    if (path.find("/downloads/") != path.npos) second->files.content[path] = text;
  asked.clear();
  EXPECT_EQ(second->converge(), 1);
  EXPECT_TRUE(asked.empty());
}

TEST_F(Download, WhatIsKeptAndWasChangedSince_IsDownloadedAgain) {
  auto stage = bench(kUrl, pin);
  stage->files.content[stage->context().tool_home("downloads") + "/" + sha256_hex(kText)] = "x";
  EXPECT_EQ(stage->converge(), 1);
  EXPECT_THAT(asked, Contains(kUrl));
}

TEST_F(Download, SomethingElseThanPinned_IsRefused) {
  auto stage = bench(kUrl, "\nsha256: " + std::string(64, 'a'));
  EXPECT_THAT(refusal(*stage),
              HasSubstr("does not hold what the plan pins: its SHA-256 is " + sha256_hex(kText)));
  EXPECT_EQ(stage->api.writes.size(), 0u);
}

TEST_F(Download, Redirects_AreFollowedAFewTimes) {
  redirect("https://example.com/a", "/b");
  redirect("https://example.com/b", "c/d");
  redirect("https://example.com/c/d", kUrl);
  EXPECT_EQ(bench("https://example.com/a")->converge(), 1);
  redirect("https://example.com/a", "/login?next=https://elsewhere.example/");
  redirect("https://example.com/login?next=https://elsewhere.example/", "//cdn.example.com/e?a/b");
  redirect("https://cdn.example.com/e?a/b", "f");
  redirect("https://cdn.example.com/f", kUrl);
  EXPECT_EQ(bench("https://example.com/a")->converge(), 1);
  redirect("https://example.com/a", "/a");
  EXPECT_THAT(refusal(*bench("https://example.com/a")), HasSubstr("more than 5 redirects"));
  redirect("https://example.com/a", "http://example.com/a");
  EXPECT_THAT(refusal(*bench("https://example.com/a")),
              HasSubstr("http can be changed by anybody"));
}

TEST_F(Download, WhatTheServerRefuses_NamesUrlAndStatus) {
  EXPECT_EQ(refusal(*bench("https://example.com/gone")),
            "cannot download https://example.com/gone: the server answered 404");
}

struct Row {
  const char* with;
  const char* words;
};

TEST_F(Download, AUrlOrPinThatIsNone_IsAMistake) {
  const Row rows[] = {
      {"http://example.com/a", "http can be changed by anybody on the way"},
      {"http://127.evil.example/a", "http can be changed by anybody on the way"},
      {"http://localhost.evil.example/a", "http can be changed by anybody on the way"},
      {"ftp://example.com/a", "it is no https URL"},
      {"https:///a", "it names no host"},
      {"https://me:secret@example.com/a", "a URL with credentials"},
      {"https://example.com/a\nsha256: abc", "sha256 is no SHA-256 digest"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(refusal(*bench(row.with)), HasSubstr(row.words)) << row.with;
    EXPECT_THAT(refusal(*bench(row.with)), Not(HasSubstr("secret"))) << row.with;
  }
  answers["http://127.0.0.1:8080/a"] = {200, {}, kText};
  EXPECT_EQ(bench("http://127.0.0.1:8080/a")->converge(), 1) << "nobody is on the way";
}

}  // namespace
}  // namespace blackstart::stages
