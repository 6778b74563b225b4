#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using testing::AllOf;
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
      bench_.decide();
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
                                  "{'.items[0].state': active, .ok: true, .error: null}}}");
  Device device(bench);
  const std::pair<const char*, const char*> rows[] = {
      {R"({"items":[{"state":"off"}]})", R"(.items[0].state is "off", wanted: "active")"},
      {R"({"items":[{"state":"active"}]})", ".ok is not there, wanted: true"},
      {R"({"ok":true,"error":"e","items":[{"state":"active"}]})", ".error is \"e\", wanted: null"},
  };
  for (const auto& [body, words] : rows) {
    device.answers = [body = body](const HttpRequest&) { return HttpResponse{200, {}, body}; };
    const Observation seen = bench.observe();
    EXPECT_EQ(seen.state, Observation::State::kDiffers);
    EXPECT_THAT(seen.reason, HasSubstr(words));
  }
  device.answers = [](const HttpRequest&) {
    return HttpResponse{200, {}, R"({"ok":true,"error":null,"items":[{"state":"active"}]})"};
  };
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(HttpRequest, ACheckThatCannotTell_IsNoAnswer) {
  const std::string with = "method: PUT\nurl: " + kUrl + "\ncheck: {expect: {json: {.a: 1}}}";
  const std::tuple<int, const char*, const char*> rows[] = {
      {500, "no", "transient: GET"},
      {429, "no", "throttled: GET"},
      {401, "no", "authentication: GET"},
      {403, "no", "authentication: GET"},
      {302, "moved", "permanent: GET"},
      {400, "no", "permanent: GET"},
      {200, "<html>sign in", "its answer is no JSON"},
  };
  for (const auto& [status, body, words] : rows) {
    Bench bench("http.request", with);
    Device device(bench);
    device.answers = [status = status, body = body](const HttpRequest&) {
      return HttpResponse{status, {}, body};
    };
    EXPECT_THAT(device.refusal(), HasSubstr(words)) << status;
    EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kSatisfied) << "nobody must know then";
  }
  Bench bench("http.request", with);
  Device device(bench);
  device.trouble = Error(ErrorClass::kUnreachable, "no connection");
  EXPECT_THAT(device.refusal(), HasSubstr("unreachable: no connection"));
}

TEST(HttpRequest, WhatShowsLate_IsWaitedFor) {
  Bench bench("http.request", "method: POST\nurl: " + kUrl + "\ncheck: {}");
  Device device(bench);
  int status = 404;
  device.answers = [&status](const HttpRequest& request) {
    return HttpResponse{request.method == "POST" ? 202 : status, {}, ""};
  };
  const Decision first = bench.decide();
  ASSERT_EQ(first.kind, Decision::Kind::kAct);
  EXPECT_TRUE(first.actions[0].once);
  bench.act("send");
  const Decision waits = bench.decide();
  EXPECT_EQ(waits.kind, Decision::Kind::kWait);
  EXPECT_THAT(waits.reason, HasSubstr("it was sent, and has not shown yet: GET " + kUrl));
  status = 200;
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(HttpRequest, APostWhoseAnswerIsLost_IsNotSentAgain) {
  const std::pair<std::optional<Error>, Decision::Kind> rows[] = {
      {Error(ErrorClass::kTransient, "the server fell silent"), Decision::Kind::kWait},
      {std::nullopt, Decision::Kind::kWait},  // a 502: who knows what the server behind it did
      {Error(ErrorClass::kUnreachable, "no connection"), Decision::Kind::kAct},
  };
  for (const auto& [lost, kind] : rows) {
    Bench bench("http.request", "method: POST\nurl: " + kUrl + "\ncheck: {}");
    Device device(bench);
    bench.observe();
    device.trouble = lost;
    device.answers = [](const HttpRequest&) { return HttpResponse{502, {}, ""}; };
    EXPECT_THROW(bench.act("send"), Error);
    device.trouble.reset();
    device.answers = [](const HttpRequest&) { return HttpResponse{404, {}, ""}; };
    EXPECT_EQ(bench.decide().kind, kind);
  }
}

TEST(HttpRequest, WhatWrites_HasTimeToThink) {
  Bench bench("http.request", "method: PUT\nurl: " + kUrl + "\ncheck: {}");
  Device device(bench);
  there_once_written(device);
  bench.converge();
  EXPECT_EQ(device.requests[0].first_byte_timeout, Duration::zero());
  EXPECT_GE(device.requests[1].first_byte_timeout, std::chrono::seconds(60));
}

TEST(HttpRequest, ADeleteOfWhatIsGone_IsDone) {
  for (const int status : {200, 204, 404, 410}) {
    Bench bench("http.request", "method: DELETE\nurl: " + kUrl);
    Device device(bench);
    device.answers = [status](const HttpRequest&) { return HttpResponse{status, {}, ""}; };
    EXPECT_EQ(bench.converge(), 1) << status;
  }
  Bench strict("http.request", "method: DELETE\nurl: " + kUrl + "\nexpect: {status: [204]}");
  Device device(strict);
  strict.observe();
  device.answers = [](const HttpRequest&) { return HttpResponse{404, {}, ""}; };
  EXPECT_THROW(strict.act("send"), Error);
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
  EXPECT_THAT(bench.decide_removal().reason, HasSubstr("it only looks"));
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
    EXPECT_EQ(error.summary(), "PUT " + kUrl + ": it answers 422 instead of 2xx");
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
      {"method: PUT\nurl: http://nas.example/\ncheck: {headers: {Authorization: '${{ vars.token "
       "}}'}}",
       "a secret would go"},
      {"method: HEAD\nurl: " + kUrl + "\nexpect: {json: {.a: 1}}", "an answer to HEAD has no JSON"},
      {"url: " + kUrl + "\nbody: a", "GET has no `body`"},
      {"url: " + kUrl + "\nheaders: {a: \"b\\nc: d\"}", "the header a holds a line break"},
      {"url: 'https://nas example/'", "it is no URL"},
      {"url: 'ftp://u:secret@a/b'", "a URL with credentials cannot be used"},
      {"url: " + kUrl + "\nca: empty.pem", "/p/empty.pem is empty"},
      {"method: PUT\nurl: http://nas.example/\nbody: {a: ['${{ vars.token }}']}",
       "a secret would go"},
  };
  for (const auto& [with, words] : rows) {
    Bench bench("http.request", with, {{"/p/empty.pem", "\n"}});
    Device device(bench);
    EXPECT_THAT(device.refusal(),
                AllOf(HasSubstr("usage: "), HasSubstr(words), Not(HasSubstr("u:secret"))))
        << with;
    EXPECT_THAT(device.asked, ElementsAre()) << with;
  }
  Bench repeated("http.request", "method: POST\nrepeatable: true\nurl: " + kUrl);
  Device device(repeated);
  EXPECT_EQ(repeated.converge(), 1);
}

TEST(HttpRequest, ASecret_GoesToTheServerAlone) {
  Bench bench("http.request",
              "method: PUT\nurl: '" + kUrl +
                  "?key=${{ vars.token }}'\nheaders: {Authorization: 'Bearer ${{ vars.token }}'}\n"
                  "check: {}");
  Device device(bench);
  device.answers = [](const HttpRequest& request) {
    const bool check = request.method == "GET";
    return HttpResponse{check ? 404 : 400, {}, "what is " + request.headers.at("authorization")};
  };
  const Decision decision = bench.decide();
  ASSERT_EQ(decision.actions.size(), 1u);
  EXPECT_EQ(decision.actions[0].summary, "send PUT " + kUrl);
  EXPECT_THAT(decision.actions[0].details, ElementsAre("with header authorization"));
  try {
    bench.act("send");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.full_text(), HasSubstr("token-of-the-plan")) << "the server's own words";
    bench.context().bus().publish(events::notice_of(error, "tested"));
  }
  EXPECT_THAT(bench.published(), AllOf(HasSubstr("what is ***"), Not(HasSubstr("of-the-plan"))));
  EXPECT_EQ(device.requests[0].headers.at("authorization"), "Bearer token-of-the-plan");
}

TEST(HttpRequest, WhatStandsWhereASecretShould_IsNotShown) {
  Bench bench("http.request", "method: PUT\nurl: " + kUrl +
                                  "\ncheck: {expect: {json: {.auth: {key: '${{ vars.token }}'}}}}");
  Device device(bench);
  device.answers = [](const HttpRequest&) {
    return HttpResponse{200, {}, R"({"auth":{"key":"an-older-secret"}})"};
  };
  EXPECT_EQ(bench.observe().reason, "GET " + kUrl + ": .auth is not as wanted");
}

TEST(HttpRequest, ACheckElsewhere_GetsNoCredentials) {
  const std::string request = "method: PUT\nurl: " + kUrl +
                              "\nca: ca.pem\nheaders: {Authorization: a, If-None-Match: '*'}\n";
  const std::pair<const char*, bool> rows[] = {{"check: {}", true},
                                               {"check: {url: 'https://nas.example/b'}", true},
                                               {"check: {url: 'https://other.example/b'}", false}};
  for (const auto& [check, same] : rows) {
    Bench bench("http.request", request + check, {{"/p/ca.pem", "CA"}});
    Device device(bench);
    bench.decide();
    EXPECT_EQ(device.requests[0].headers.contains("authorization"), same) << check;
    EXPECT_EQ(device.requests[0].tls != nullptr, same) << check;
    EXPECT_FALSE(device.requests[0].headers.contains("if-none-match")) << "it is the request's";
  }
}

TEST(HttpRequest, AUrlOfAStageThatHasNotRun_IsPlannedAllTheSame) {
  Bench bench("http.request",
              "method: PUT\nurl: '${{ stages.cluster.outputs.kubeconfig }}'\ncheck: {}");
  bench.outputs.clear();
  EXPECT_THROW(bench.observe(), plan::NotKnownYet);
  const Decision decision = bench.stage().decide(Observation::deferred("cluster"));
  ASSERT_EQ(decision.actions.size(), 1u);
  EXPECT_EQ(decision.actions[0].summary, "send a request to a URL that is not known yet");
}

TEST(HttpRequest, OverHttpToAnotherMachine_IsWarnedOf) {
  Bench bench("http.request", "url: http://nas.example/ready");
  Device device(bench);
  bench.decide();
  const std::string once = bench.published();
  EXPECT_THAT(once, HasSubstr("http://nas.example is not encrypted"));
  bench.decide();
  EXPECT_EQ(bench.published(), once);
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
