// The fault table: how often a request is sent, how long is waited, what is said at last.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

enum class Verb { kGet, kApply, kDelete, kMergePatch };

Task<void> ask(Client& client, Verb verb) {
  const ObjectRef ref("v1", "ConfigMap", "a", "b");
  boost::json::value object =
      boost::json::object{{"apiVersion", "v1"},
                          {"kind", "ConfigMap"},
                          {"metadata", {{"name", "b"}, {"namespace", "a"}}}};
  switch (verb) {
    case Verb::kGet: co_await client.get(ref); break;
    case Verb::kApply: co_await client.apply(object, Client::ApplyOptions()); break;
    case Verb::kDelete: co_await client.remove(ref); break;
    case Verb::kMergePatch: co_await client.merge_patch(ref, object); break;
  }
}

struct Outcome {
  size_t requests = 0;
  Duration took{};
  std::optional<ErrorClass> failed;
  std::string text;
};

Outcome outcome_of(ScriptedWorld& scripted, Verb verb) {
  scripted.serve_discovery();
  scripted.run([](Client& client) -> Task<void> { co_await client.kinds(); }(scripted.client()));
  const Duration before = scripted.elapsed();
  Outcome outcome;
  try {
    scripted.run(ask(scripted.client(), verb));
  } catch (const Error& error) {
    outcome.failed = error.error_class();
    outcome.text = error.full_text();
  }
  outcome.requests = scripted.http.count("/configmaps");
  outcome.took = scripted.elapsed() - before;
  return outcome;
}

const HttpResponse kObject = json_response(200, R"({"kind":"ConfigMap","apiVersion":"v1"})");

// Jitter is a half in the scripted world: pauses of 1.2 s, 2.4 s, 4.8 s.
constexpr Duration kThreePauses = milliseconds(1200 + 2400 + 4800);
// Of a server that is busy; the sixth would end after more than a minute.
constexpr Duration kFivePauses = kThreePauses + milliseconds(9600 + 19200);

struct Row {
  const char* name;
  Verb verb;
  std::vector<HttpResponse> answers;
  size_t requests;
  Duration took;
  std::optional<ErrorClass> failed;
};

std::vector<Row> rows() {
  auto status = [](int code, std::map<std::string, std::string> headers = {}) {
    return status_response(code, "", "message", std::move(headers));
  };
  const std::optional<ErrorClass> none;
  std::vector<Row> table;
  for (Verb verb : {Verb::kGet, Verb::kApply, Verb::kDelete}) {
    for (int code : {500, 502, 503, 504}) {
      table.push_back({"5xx once", verb, {status(code), kObject}, 2, milliseconds(1200), none});
      table.push_back(
          {"5xx for ever", verb, {status(code)}, 4, kThreePauses, ErrorClass::kTransient});
    }
  }
  for (Verb verb : {Verb::kGet, Verb::kApply, Verb::kDelete, Verb::kMergePatch}) {
    table.push_back({"429 bare", verb, {status(429), kObject}, 2, milliseconds(1200), none});
    table.push_back(
        {"429", verb, {status(429, {{"retry-after", "5"}}), kObject}, 2, seconds(5), none});
    table.push_back({"429 short",
                     verb,
                     {status(429, {{"retry-after", "1"}}), kObject},
                     2,
                     milliseconds(1200),
                     none});
    table.push_back({"503 with header",
                     verb,
                     {status(503, {{"retry-after", "3"}}), kObject},
                     2,
                     seconds(3),
                     none});
    table.push_back({"429 for ever", verb, {status(429)}, 6, kFivePauses, ErrorClass::kThrottled});
    for (int code : {400, 401, 405, 413, 415, 422, 501})
      table.push_back({"refused",
                       verb,
                       {status(code), kObject},
                       1,
                       Duration::zero(),
                       code == 401 ? ErrorClass::kAuthentication : ErrorClass::kPermanent});
    table.push_back({"forbidden",
                     verb,
                     {status_response(403, "Forbidden", "User \"x\" cannot do it"), kObject},
                     1,
                     Duration::zero(),
                     ErrorClass::kAuthentication});
  }
  for (int code : {500, 502, 503, 504})
    table.push_back({"5xx unsafe",
                     Verb::kMergePatch,
                     {status(code), kObject},
                     1,
                     Duration::zero(),
                     ErrorClass::kTransient});
  const HttpResponse moved = status_response(409, "Conflict", "the object has been modified");
  table.push_back({"version moved", Verb::kApply, {moved, kObject}, 2, milliseconds(1200), none});
  table.push_back({"version moved",
                   Verb::kMergePatch,
                   {moved, kObject},
                   1,
                   Duration::zero(),
                   ErrorClass::kConflict});
  table.push_back({"exists",
                   Verb::kApply,
                   {status_response(409, "AlreadyExists", "it exists")},
                   1,
                   Duration::zero(),
                   ErrorClass::kConflict});
  return table;
}

TEST(Requests, FollowTheFaultTable) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(std::string(row.name) + " verb " + std::to_string(static_cast<int>(row.verb)) +
                 " status " + std::to_string(row.answers[0].status));
    ScriptedWorld scripted;
    scripted.answer("/configmaps", row.answers);
    const Outcome outcome = outcome_of(scripted, row.verb);
    EXPECT_EQ(outcome.requests, row.requests);
    EXPECT_EQ(outcome.took, row.took);
    EXPECT_EQ(outcome.failed, row.failed) << outcome.text;
  }
}

// The first `count` requests for objects fail in the way that the HTTP layer reports it.
Outcome outcome_with_faults(Verb verb, ErrorClass fault, size_t count) {
  ScriptedWorld scripted;
  scripted.answer("/configmaps", {kObject});
  auto answers = scripted.http.handler;
  scripted.http.handler = [&, answers](HttpRequest request) -> Task<HttpResponse> {
    if (request.url.find("/configmaps") != std::string::npos &&
        scripted.http.count("/configmaps") <= count)
      throw Error(fault, "broken pipe");
    return answers(std::move(request));
  };
  return outcome_of(scripted, verb);
}

TEST(Requests, ThatWereResetAreRepeatedOnlyWhenThatIsSafe) {
  for (Verb verb : {Verb::kGet, Verb::kApply, Verb::kDelete}) {
    EXPECT_EQ(outcome_with_faults(verb, ErrorClass::kTransient, 1).requests, 2u);
    EXPECT_EQ(outcome_with_faults(verb, ErrorClass::kTransient, 9).requests, 4u);
  }
  const Outcome unsafe = outcome_with_faults(Verb::kMergePatch, ErrorClass::kTransient, 9);
  EXPECT_EQ(unsafe.requests, 1u);
  EXPECT_EQ(unsafe.failed, ErrorClass::kTransient);
}

TEST(Requests, ThatReachNobodyAreRepeatedOnce_SoThatTheEngineCanSaySo) {
  for (Verb verb : {Verb::kGet, Verb::kApply, Verb::kDelete, Verb::kMergePatch}) {
    const Outcome outcome = outcome_with_faults(verb, ErrorClass::kUnreachable, 9);
    EXPECT_EQ(outcome.requests, 2u);
    EXPECT_EQ(outcome.failed, ErrorClass::kUnreachable);
    EXPECT_THAT(outcome.text, HasSubstr("broken pipe: tried 2 times"));
  }
}

TEST(Requests, ThatWriteWaitAsLongAsTheServerMayBeHeldByWebhooks) {
  for (Verb verb : {Verb::kApply, Verb::kDelete, Verb::kMergePatch}) {
    ScriptedWorld scripted;
    scripted.answer("/configmaps", {kObject});
    outcome_of(scripted, verb);
    const HttpRequest& write = scripted.http.requests.back();
    EXPECT_GT(write.first_byte_timeout, seconds(60)) << "the server's own limit";
    EXPECT_GT(write.total_timeout, write.first_byte_timeout) << "else that would end it";
    EXPECT_EQ(write.idle_timeout, seconds(15)) << "once it answers";
  }
  ScriptedWorld scripted;
  scripted.answer("/configmaps", {kObject});
  outcome_of(scripted, Verb::kGet);
  EXPECT_EQ(scripted.http.requests.back().idle_timeout, seconds(15));
}

TEST(Requests, ThatAreThrottledSayItOnce_AlsoWhenTheyGetThroughAtLast) {
  ScriptedWorld scripted;
  scripted.answer("/version",
                  {status_response(429, "TooManyRequests", "slow"),
                   status_response(429, "TooManyRequests", "slow"), json_response(200, "{}")});
  scripted.result(scripted.client().server_version());
  const std::vector<std::string> expected = {
      "the API server throttles us: requests wait and are sent again"};
  EXPECT_EQ(scripted.client().take_warnings(), expected);
}

TEST(Requests, WithAnUntrustedServerFailAtOnce) {
  const Outcome outcome = outcome_with_faults(Verb::kGet, ErrorClass::kAuthentication, 9);
  EXPECT_EQ(outcome.requests, 1u);
  EXPECT_EQ(outcome.failed, ErrorClass::kAuthentication);
}

TEST(Requests, ThatAreTooLargeFailAtOnce) {
  EXPECT_EQ(outcome_with_faults(Verb::kGet, ErrorClass::kPermanent, 9).requests, 1u);
}

TEST(Requests, AnsweredWithWhatIsNoJsonFailWithAWord) {
  for (const char* body : {"", "{", "<html>", "{\"a\":\"\xff\"}"}) {
    ScriptedWorld scripted;
    scripted.answer("/configmaps", {json_response(200, body)});
    const Outcome outcome = outcome_of(scripted, Verb::kGet);
    EXPECT_EQ(outcome.failed, ErrorClass::kTransient) << body;
    EXPECT_THAT(outcome.text, HasSubstr("the answer is no JSON"));
  }
}

TEST(Requests, AskingForReadinessQuoteTheChecksThatFail) {
  ScriptedWorld scripted;
  HttpResponse answer;
  answer.status = 500;
  answer.body =
      "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n"
      "[-]poststarthook/rbac failed: not finished\nreadyz check failed\n";
  scripted.answer("/readyz", {answer});
  std::string reason;
  EXPECT_FALSE(scripted.result(scripted.client().is_ready(&reason)));
  EXPECT_EQ(reason,
            "the server answered 500: etcd failed: reason withheld; "
            "poststarthook/rbac failed: not finished");
}

TEST(Requests, CarryTheTokenOfTheFileAsItIsNow) {
  ScriptedWorld scripted;
  scripted.files.content["/token"] = "one\n";
  Endpoint endpoint;
  endpoint.server = "https://api";
  endpoint.token_file = "/token";
  Client client(scripted.world(), endpoint);
  scripted.answer("/version", {json_response(200, R"({"gitVersion":"v1.36.3"})")});
  EXPECT_EQ(scripted.result(client.server_version()), "v1.36.3");
  scripted.files.content["/token"] = "two";
  scripted.result(client.server_version());
  EXPECT_EQ(scripted.http.requests[0].headers.at("Authorization"), "Bearer one");
  EXPECT_EQ(scripted.http.requests[1].headers.at("Authorization"), "Bearer two");
}

TEST(Requests, CollectEachWarningOfTheServerOnce) {
  ScriptedWorld scripted;
  const std::string header = R"(299 - "v1beta1 is \"old\"", 299 - "unknown field \"x\"")";
  scripted.answer("/version", {json_response(200, "{}", {{"warning", header}})});
  scripted.result(scripted.client().server_version());
  scripted.result(scripted.client().server_version());
  const std::vector<std::string> expected = {"v1beta1 is \"old\"", "unknown field \"x\""};
  EXPECT_EQ(scripted.client().take_warnings(), expected);
  EXPECT_TRUE(scripted.client().take_warnings().empty());
}

}  // namespace
}  // namespace blackstart::kube
