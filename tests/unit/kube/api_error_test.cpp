#include "orchestrator/kube/api_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using testing::HasSubstr;

const WallTime kNow =
    WallTime(std::chrono::seconds(1'767'225'600));  // Thu, 01 Jan 2026 00:00:00 GMT

struct Row {
  int status;
  const char* message;
  ErrorClass expected;
};

class Classes : public testing::TestWithParam<Row> {};

TEST_P(Classes, OfTheServersAnswer) {
  const Row& row = GetParam();
  const ApiError error =
      error_of(status_response(row.status, "R", row.message), "apply ConfigMap a/b", kNow);
  EXPECT_STREQ(to_string(error.error_class()), to_string(row.expected))
      << row.status << ' ' << row.message;
  EXPECT_EQ(error.status(), row.status);
  EXPECT_EQ(error.full_text(), std::string("cannot apply ConfigMap a/b: ") + row.message);
}

INSTANTIATE_TEST_SUITE_P(
    ApiError, Classes,
    testing::Values(
        Row{400, "bad", ErrorClass::kPermanent},
        Row{401, "Unauthorized", ErrorClass::kAuthentication},
        Row{403, "configmaps \"b\" is forbidden: User \"x\" cannot patch resource \"configmaps\"",
            ErrorClass::kAuthentication},
        Row{403, "configmaps \"b\" is forbidden: exceeded quota: q", ErrorClass::kPermanent},
        Row{403, "pods \"p\" is forbidden: violates PodSecurity \"restricted\"",
            ErrorClass::kPermanent},
        Row{403, "unable to create new content in namespace a because it is being terminated",
            ErrorClass::kNotReady},
        Row{403, "pods \"p\" is forbidden: status unknown for quota: q, resources: pods",
            ErrorClass::kNotReady},
        Row{403, "admission webhook \"w\" denied the request: no", ErrorClass::kPermanent},
        Row{404, "not found", ErrorClass::kPermanent}, Row{405, "no", ErrorClass::kPermanent},
        Row{408, "slow", ErrorClass::kTransient}, Row{409, "moved", ErrorClass::kConflict},
        Row{410, "too old", ErrorClass::kTransient}, Row{413, "large", ErrorClass::kPermanent},
        Row{422, "invalid", ErrorClass::kPermanent}, Row{429, "slow down", ErrorClass::kThrottled},
        Row{500, "oops", ErrorClass::kTransient},
        Row{500, "failed to create typed patch object (a/b): .data.b: expected string",
            ErrorClass::kPermanent},
        Row{500, "failed to convert new object (a/b; v1) to proper version: quantities must match",
            ErrorClass::kPermanent},
        Row{500, "etcdserver: request is too large", ErrorClass::kPermanent},
        Row{500,
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max",
            ErrorClass::kPermanent},
        Row{501, "never", ErrorClass::kPermanent}, Row{502, "gateway", ErrorClass::kTransient},
        Row{503, "starting", ErrorClass::kTransient}, Row{504, "timeout", ErrorClass::kTransient}));

struct WebhookRow {
  const char* message;
  const char* name;
  const char* text;
};

// The texts are the real API server's.
TEST(ApiError, OfAWebhookThatCannotBeCalled_NamesItAndIsNoInternalError) {
  const WebhookRow rows[] = {
      {"Internal error occurred: failed calling webhook \"check.example.com\": failed to call "
       "webhook: Post \"https://hook.default.svc:443/x?timeout=10s\": service \"hook\" not found",
       "check.example.com",
       "webhook \"check.example.com\" cannot be called yet: service \"hook\" not found"},
      {"Internal error occurred: failed calling webhook \"w\": failed to call webhook: Post "
       "\"https://127.0.0.1:1/x?timeout=10s\": dial tcp 127.0.0.1:1: connect: connection refused",
       "w",
       "webhook \"w\" cannot be called yet: dial tcp 127.0.0.1:1: connect: connection refused"},
      {"Internal error occurred: failed calling webhook \"w\": failed to call webhook: Post "
       "\"https://s.a.svc:443/?timeout=10s\": tls: failed to verify certificate: x509: certificate "
       "signed by unknown authority",
       "w",
       "webhook \"w\" cannot be called yet: tls: failed to verify certificate: x509: certificate "
       "signed by unknown authority"},
      {"Internal error occurred: failed calling webhook \"w\": failed to call webhook: the server "
       "could not find the requested resource",
       "w", "webhook \"w\" cannot be called yet: the server could not find the requested resource"},
      {"conversion webhook for example.com/v1, Kind=Thing failed: Post "
       "\"https://c.a.svc:443/convert?timeout=30s\": service \"c\" not found",
       "example.com/v1, Kind=Thing",
       "the conversion webhook of example.com/v1, Kind=Thing cannot be called yet: service \"c\" "
       "not found"},
  };
  for (const WebhookRow& row : rows) {
    const ApiError error =
        error_of(status_response(500, "InternalError", row.message), "apply Thing a/b", kNow);
    EXPECT_EQ(error.error_class(), ErrorClass::kNotReady) << row.message;
    EXPECT_EQ(error.reason(), kUncallable);
    EXPECT_EQ(error.webhook().name, row.name);
    EXPECT_EQ(error.full_text(), std::string("cannot apply Thing a/b: ") + row.text);
  }
}

TEST(ApiError, OfAWebhookThatCannotBeCalled_SaysWhereItWasAsked) {
  const ApiError error =
      error_of(status_response(500, "InternalError",
                               "failed calling webhook \"w\": failed to call webhook: Post "
                               "\"https://s.a.svc:443/x?timeout=10s\": EOF"),
               "apply Thing a/b", kNow);
  EXPECT_EQ(error.webhook().url, "https://s.a.svc:443/x?timeout=10s");
}

// The API server wraps the webhook's own words like a call that failed.
TEST(ApiError, OfAConversionThatTheWebhookRefused_IsNotWaitedFor) {
  const ApiError error =
      error_of(status_response(400, "BadRequest",
                               "conversion webhook for example.com/v1, Kind=Thing failed: spec.foo "
                               "cannot be converted"),
               "apply Thing a/b", kNow);
  EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
  EXPECT_EQ(error.webhook().name, "");
}

TEST(ApiError, OfAConflict_NamesEveryFieldAndItsManager) {
  const HttpResponse response = json_response(409, R"({"kind":"Status","reason":"Conflict",
    "message":"Apply failed with 2 conflicts: conflicts with \"helm\" …","details":{"causes":[
      {"reason":"FieldManagerConflict","message":"conflict with \"helm\" using apps/v1","field":".spec.replicas"},
      {"reason":"FieldManagerConflict","message":"conflict with \"kubectl-client-side-apply\" with subresource \"scale\" using v1","field":".data.a"}]}})");
  const ApiError error = error_of(response, "apply Deployment a/b", kNow);
  ASSERT_EQ(error.conflicts().size(), 2u);
  EXPECT_EQ(error.conflicts()[1].field, ".data.a");
  EXPECT_EQ(error.conflicts()[1].manager, "kubectl-client-side-apply");
  EXPECT_EQ(error.full_text(),
            "cannot apply Deployment a/b: .spec.replicas is owned by \"helm\": .data.a is owned by "
            "\"kubectl-client-side-apply\"");
  EXPECT_THAT(error.hint(), HasSubstr("force"));
}

TEST(ApiError, OfAnInvalidObject_ListsTheFieldsThatTheMessageDoesNotSay) {
  const HttpResponse response = json_response(422, R"({"kind":"Status","reason":"Invalid",
    "message":"Service \"x\" is invalid","details":{"causes":[
      {"reason":"FieldValueInvalid","message":"Invalid value: 0","field":"spec.ports[0].port"}]}})");
  const ApiError error = error_of(response, "apply Service a/x", kNow);
  EXPECT_EQ(
      error.full_text(),
      "cannot apply Service a/x: Service \"x\" is invalid: spec.ports[0].port: Invalid value: 0");
}

TEST(ApiError, OfAProxysPage_ShowsItsFirstLineOnly) {
  const ApiError error = error_of(
      json_response(502, "<html>Bad gateway\n<body>" + std::string(9999, 'x')), "get /", kNow);
  EXPECT_EQ(error.full_text(), "cannot get /: the server answered 502: <html>Bad gateway");
}

TEST(ApiError, OfRefusedCredentials_TellsOfAWrongClockAboveAMinute) {
  auto at = [](const char* date) {
    return error_of(status_response(401, "Unauthorized", "Unauthorized", {{"date", date}}), "get /",
                    kNow)
        .full_text();
  };
  EXPECT_THAT(at("Thu, 01 Jan 2026 00:02:00 GMT"),
              HasSubstr("clock is 2m00s behind the API server's"));
  EXPECT_THAT(at("Wed, 31 Dec 2025 23:50:00 GMT"),
              HasSubstr("clock is 10m00s ahead of the API server's"));
  EXPECT_EQ(at("Thu, 01 Jan 2026 00:00:30 GMT"), "cannot get /: Unauthorized");
}

TEST(RetryAfter, IsReadAsSecondsOrDate_AndNeverMoreThanAMinute) {
  auto seconds = [](const char* text) {
    return retry_after_seconds(json_response(429, "", {{"retry-after", text}}), kNow);
  };
  EXPECT_EQ(seconds("7"), 7);
  EXPECT_EQ(seconds("0"), 0);
  EXPECT_EQ(seconds("-3"), 0);
  EXPECT_EQ(seconds("86400"), 60);
  EXPECT_EQ(seconds("Thu, 01 Jan 2026 00:00:09 GMT"), 9);
  EXPECT_EQ(seconds("Wed, 31 Dec 2025 00:00:09 GMT"), 0);
  EXPECT_EQ(seconds("soon"), 0);
  EXPECT_EQ(retry_after_seconds(json_response(429, ""), kNow), 0);
}

TEST(ApiError, OfARequestWithoutAnswer_KeepsClassAndAddsAHint) {
  const ApiError error =
      error_of(Error(ErrorClass::kUnreachable, "connection refused"), "get /api", "https://api");
  EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable);
  EXPECT_EQ(error.full_text(), "cannot get /api: connection refused");
  EXPECT_THAT(error.hint(), HasSubstr("https://api"));
}

}  // namespace
}  // namespace blackstart::kube
