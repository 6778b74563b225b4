#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kUrl = "https://nas.example/api/routes/1";

/// A device with an API: what was asked, and what it answers.
class Device {
 public:
  explicit Device(Bench& bench) : bench_(bench) {
    bench.http.handler = [this](HttpRequest request) { return answer(std::move(request)); };
  }
  std::vector<std::string> asked;  // "GET https://…"
  std::vector<HttpRequest> requests;
  std::function<HttpResponse(const HttpRequest&)> answers = [](const HttpRequest&) {
    return HttpResponse{200, {}, "{}"};
  };
  std::optional<Error> trouble;  // of every request

  /// What comes of looking, as an error.
  std::string refusal() {
    try {
      bench_.observe();
    } catch (const Error& error) {
      return std::string(to_string(error.error_class())) + ": " + error.full_text() + "; " +
             error.hint();
    }
    return "nothing";
  }

 private:
  Task<HttpResponse> answer(HttpRequest request) {
    asked.push_back(request.method + " " + request.url);
    requests.push_back(request);
    if (trouble) throw *trouble;
    co_return answers(request);
  }
  Bench& bench_;
};

/// A thing that is there once it has been PUT or POSTed.
void there_once_written(Device& device) {
  device.answers = [there = false](const HttpRequest& request) mutable {
    there = there || request.method == "PUT" || request.method == "POST";
    return HttpResponse{there ? 200 : 404, {}, R"({"state":"active"})"};
  };
}

TEST(HttpRequest, TheCheckTellsWhetherItIsNeeded) {
  Bench bench("http.request", "method: PUT\nurl: " + kUrl + "\nbody: {a: 1}\ncheck: {}");
  Device device(bench);
  there_once_written(device);
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_THAT(device.asked, ElementsAre("GET " + kUrl, "PUT " + kUrl, "GET " + kUrl));
  EXPECT_EQ(device.requests[1].body, R"({"a":1})");
  EXPECT_EQ(device.requests[1].headers.at("content-type"), "application/json");
  EXPECT_TRUE(device.requests[1].once);
  EXPECT_EQ(device.requests[0].body, "");
  EXPECT_EQ(bench.converge(), 0);
}

TEST(HttpRequest, TheCheckLooksIntoTheAnswer) {
  Bench bench("http.request", "method: PUT\nurl: " + kUrl +
                                  "\ncheck: {url: 'https://nas.example/all', expect: {json: "
                                  "{'.items[0].state': active, .ok: true}}}");
  Device device(bench);
  std::string body = R"({"items":[{"state":"off"}]})";
  device.answers = [&](const HttpRequest&) { return HttpResponse{200, {}, body}; };
  EXPECT_THAT(bench.decide().reason, HasSubstr(R"(.items[0].state is "off", wanted: "active")"));
  body = R"({"items":[{"state":"active"}]})";
  EXPECT_THAT(bench.decide().reason, HasSubstr(".ok is not there, wanted: true"));
  body = "<html>";
  EXPECT_THAT(bench.decide().reason, HasSubstr("its answer is no JSON"));
  body = R"({"ok":true,"items":[{"state":"active"}]})";
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(HttpRequest, ACheckThatCannotTell_IsNoAnswer) {
  Bench bench("http.request",
              "method: DELETE\nurl: " + kUrl + "\ncheck: {expect: {status: [404]}}");
  Device device(bench);
  const std::pair<int, const char*> rows[] = {{500, "transient: it answers 500 instead of 404"},
                                              {429, "throttled: it answers 429"},
                                              {401, "authentication: it answers 401"},
                                              {403, "authentication: it answers 403"}};
  for (const auto& [status, words] : rows) {
    device.answers = [status = status](const HttpRequest&) {
      return HttpResponse{status, {}, "no"};
    };
    EXPECT_THAT(device.refusal(), HasSubstr(words));
  }
  device.trouble = Error(ErrorClass::kUnreachable, "no connection");
  EXPECT_THAT(device.refusal(), HasSubstr("unreachable: no connection"));
}

TEST(HttpRequest, AGet_WaitsForItsAnswer) {
  Bench bench("http.request", "url: " + kUrl + "\nexpect: {status: [200]}");
  Device device(bench);
  device.trouble = Error(ErrorClass::kUnreachable, "GET " + kUrl + ": no connection");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  device.trouble.reset();
  device.answers = [](const HttpRequest&) { return HttpResponse{503, {}, ""}; };
  const Decision waits = bench.decide();
  EXPECT_EQ(waits.kind, Decision::Kind::kWait);
  EXPECT_EQ(waits.reason, "GET " + kUrl + ": it answers 503 instead of 200");
  device.answers = [](const HttpRequest&) { return HttpResponse{403, {}, ""}; };
  EXPECT_THAT(device.refusal(), HasSubstr("authentication: ")) << "no waiting helps";
  device.answers = [](const HttpRequest&) { return HttpResponse{200, {}, ""}; };
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(HttpRequest, WithoutCheck_TheJournalDecides) {
  const std::string with = "method: PUT\nurl: " + kUrl + "\nbody: hello";
  Bench bench("http.request", with);
  Device device(bench);
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_EQ(device.requests[0].body, "hello");
  EXPECT_FALSE(device.requests[0].headers.contains("content-type"));
  Bench again("http.request", with);
  again.journal.records["tested"].digest = again.digest();
  EXPECT_EQ(again.converge(), 0);
  Bench changed("http.request", "method: PUT\nurl: " + kUrl + "\nbody: goodbye");
  Device other(changed);
  changed.journal.records["tested"].digest = again.digest();
  EXPECT_EQ(changed.converge(), 1);
}

TEST(HttpRequest, WhatIsRefused_IsToldWithTheAnswer) {
  Bench bench("http.request", "method: PUT\nurl: " + kUrl);
  Device device(bench);
  bench.observe();
  device.answers = [](const HttpRequest&) {
    return HttpResponse{422, {{"retry-after", "7"}}, R"({"error":"no such gateway"})"};
  };
  try {
    bench.act("send");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
    EXPECT_EQ(error.summary(), "it answers 422 instead of 2xx");
    EXPECT_THAT(error.causes(), ElementsAre(R"({"error":"no such gateway"})"));
    EXPECT_EQ(error.retry_after_seconds(), 7);
    EXPECT_TRUE(error.place().known());
  }
}

TEST(HttpRequest, Mistakes_AreNamed) {
  const std::pair<std::string, const char*> rows[] = {
      {"method: POST\nurl: " + kUrl, "POST needs a `check`"},
      {"method: PATCH\nurl: " + kUrl, "PATCH needs a `check`"},
      {"url: " + kUrl + "\ncheck: {}", "GET changes nothing and needs no `check`"},
      {"url: ftp://a/b", "it is no https URL"},
      {"url: 'https://u:p@a/b'", "a URL with credentials cannot be used"},
      {"url: " + kUrl + "\nexpect: {status: [99]}", "this is no HTTP status: 99"},
      {"url: " + kUrl + "\nexpect: {json: {a: 1}}", "this is no JSON path: expected '.'"},
      {"url: " + kUrl + "\ncertificate: /p/kubeconfig", "`certificate` and `key` belong together"},
      {"url: http://nas.example/\nheaders: {Authorization: '${{ vars.token }}'}",
       "a secret would go to http://nas.example/ unencrypted"},
      {"method: PUT\nurl: http://nas.example/\nbody: {a: ['${{ vars.token }}']}",
       "a secret would go"},
      {"method: PUT\nurl: " + kUrl +
           "\nheaders: {Authorization: '${{ vars.token }}'}\n"
           "check: {url: 'http://nas.example/'}",
       "a secret would go"},
  };
  for (const auto& [with, words] : rows) {
    Bench bench("http.request", with);
    Device device(bench);
    EXPECT_THAT(device.refusal(), AllOf(HasSubstr("usage: "), HasSubstr(words))) << with;
    EXPECT_THAT(device.asked, ElementsAre()) << with;
  }
  Bench repeated("http.request", "method: POST\nrepeatable: true\nurl: " + kUrl);
  Device device(repeated);
  EXPECT_EQ(repeated.converge(), 1);
}

TEST(HttpRequest, ASecret_GoesToTheServerAlone) {
  Bench bench("http.request",
              "method: PUT\nurl: '" + kUrl +
                  "?key=${{ vars.token }}'\nheaders: {Authorization: "
                  "'Bearer ${{ vars.token }}'}\nbody: {password: '${{ vars.token }}'}\ncheck: {}");
  Device device(bench);
  device.answers = [](const HttpRequest& request) {
    const bool check = request.method == "GET";
    return HttpResponse{check ? 404 : 400, {}, "what is " + request.headers.at("authorization")};
  };
  const Decision decision = bench.decide();
  ASSERT_EQ(decision.actions.size(), 1u);
  EXPECT_EQ(decision.actions[0].summary, "send PUT " + kUrl);
  EXPECT_THAT(decision.actions[0].details, Contains("with header authorization"));
  for (const std::string& line : decision.actions[0].details)
    EXPECT_THAT(line, Not(HasSubstr("token-of-the-plan")));
  EXPECT_THROW(bench.act("send"), Error);
  EXPECT_THAT(bench.published(), Not(HasSubstr("token-of-the-plan")));
  EXPECT_EQ(device.requests[0].headers.at("authorization"), "Bearer token-of-the-plan");
}

TEST(HttpRequest, OverHttpToAnotherMachine_IsWarnedOf) {
  Bench bench("http.request", "url: http://nas.example/ready");
  Device device(bench);
  bench.decide();
  EXPECT_THAT(bench.published(), HasSubstr("http://nas.example/ready is not encrypted"));
  Bench here("http.request", "url: http://127.0.0.1:8080/ready");
  Device local(here);
  here.decide();
  EXPECT_THAT(here.published(), Not(HasSubstr("not encrypted")));
}

TEST(HttpRequest, TrustsTheGivenCaAlone) {
  Bench bench("http.request", "url: " + kUrl + "\nca: ca.pem\ncertificate: c.pem\nkey: k.pem",
              {{"/p/ca.pem", "CA"}, {"/p/c.pem", "C"}, {"/p/k.pem", "the-private-key"}});
  Device device(bench);
  bench.decide();
  ASSERT_TRUE(device.requests[0].tls);
  EXPECT_EQ(device.requests[0].tls->ca, "CA");
  EXPECT_EQ(device.requests[0].tls->certificate, "C");
  EXPECT_EQ(device.requests[0].tls->key, "the-private-key");
}

}  // namespace
}  // namespace blackstart::stages
