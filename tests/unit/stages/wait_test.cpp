#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kPods = "/api/v1/namespaces/web/pods/";

boost::json::value pod(const std::string& ready, const std::string& label = "x") {
  return boost::json::parse(
      R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"app": ")" + label + R"("}},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ")" +
      ready + R"("}]}})");
}

TEST(Wait, NothingExistsYet_IsWaitedForNotAnError) {
  Bench bench("kube.wait", "for: [{kind: Pod, namespace: web, selector: app=x, ready: true}]");
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_EQ(decision.reason, "Pod with app=x in web does not exist yet");
}

TEST(Wait, KindUnknownToTheServer_IsWaitedFor) {
  Bench bench("kube.wait",
              "for: [{kind: Gadget, name: a}, {kind: Gizmo, apiVersion: example.com/v1, name: b}]");
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
}

TEST(Wait, Ready_AllOfThemMustBe) {
  Bench bench("kube.wait", "for: [{kind: Pod, namespace: web, ready: true}]");
  bench.api.put(kPods + "a", pod("True"));
  bench.api.put(kPods + "b", pod("False"));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("Pod web/b"));
}

TEST(Wait, News_WakesIt) {
  Bench bench("kube.wait", "for: [{kind: Pod, namespace: web, name: a, ready: true}]");
  bench.api.put(kPods + "a", pod("False"));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  bench.api.put(kPods + "a", pod("True"));
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
  EXPECT_THAT(bench.api.writes, IsEmpty());
}

TEST(Wait, ServerAwayAtTheFirstLook_IsLookedAtAgain) {
  Bench bench("kube.wait", "for: [{kind: Pod, namespace: web, name: a, ready: true}]");
  bench.api.put(kPods + "a", pod("True"));
  auto inner = bench.http.handler;
  bench.http.handler = [inner](HttpRequest request) -> Task<HttpResponse> {
    if (request.url.find("/pods") != std::string::npos)
      throw Error(ErrorClass::kUnreachable, "connection refused");
    co_return co_await inner(std::move(request));
  };
  EXPECT_THROW(bench.decide(), Error);
  bench.http.handler = inner;
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Wait, ForWhatAHangingWatchDoesNotTell_LooksByItself) {
  Bench bench("kube.wait", "for: [{kind: Pod, namespace: web, name: a, ready: true}]");
  bench.api.put(kPods + "a", pod("False"));
  Clock& clock = bench.context().world().clock;
  auto inner = bench.http.handler;
  bench.http.handler = [inner, &clock](HttpRequest request) -> Task<HttpResponse> {
    if (request.url.find("watch=true") == std::string::npos)
      co_return co_await inner(std::move(request));
    const Duration longest = std::chrono::hours(1);
    const bool watched = request.idle_timeout > Duration::zero();
    const Instant end = clock.now() + (watched ? request.idle_timeout : longest);
    co_await clock.sleep_until(end);
    throw Error(ErrorClass::kTransient, "the server fell silent");
  };
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  bench.api.put(kPods + "a", pod("True"));
  const Instant begin = clock.now();
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
  EXPECT_LE(clock.now() - begin, std::chrono::seconds(90));
}

TEST(Wait, Condition_HoldsOnlyWithTheWantedStatus) {
  Bench bench(
      "kube.wait",
      "for: [{kind: Widget, namespace: web, name: w, condition: {type: Synced, status: 'False'}}]");
  const std::string path = "/apis/example.com/v1/namespaces/web/widgets/w";
  auto widget = [](const std::string& status) {
    return boost::json::parse(R"({"apiVersion": "example.com/v1", "kind": "Widget", "status":
      {"conditions": [{"type": "Synced", "status": ")" +
                              status + R"(", "message": "as it says"}]}})");
  };
  bench.api.put(path, widget("True"));
  EXPECT_THAT(bench.decide().reason, HasSubstr("Synced is True: as it says"));
  bench.api.put(path, widget("False"));
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Wait, Condition_OfSeveral_TheWorstCounts) {
  Bench bench("kube.wait",
              "for: [{apiVersion: batch/v1, kind: Job, namespace: web, condition: {type: "
              "Complete}}]");
  auto job = [](const std::string& condition) {
    return boost::json::parse(R"({"apiVersion": "batch/v1", "kind": "Job", "status":
      {"conditions": [)" + condition +
                              "]}}");
  };
  bench.api.put("/apis/batch/v1/namespaces/web/jobs/a", job(""));
  bench.api.put("/apis/batch/v1/namespaces/web/jobs/b",
                job(R"({"type": "Failed", "status": "True", "message": "no"})"));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("Job web/b"));
}

TEST(Wait, Condition_OfAnEarlierGeneration_DoesNotHold) {
  Bench bench("kube.wait",
              "for: [{kind: Widget, namespace: web, name: w, condition: {type: Synced}}]");
  const std::string path = "/apis/example.com/v1/namespaces/web/widgets/w";
  auto widget = [](const std::string& status, const std::string& of_condition) {
    return boost::json::parse(R"({"apiVersion": "example.com/v1", "kind": "Widget",
      "metadata": {"generation": 3}, "status": {)" +
                              status + R"("conditions": [{"type": "Synced", "status": "True")" +
                              of_condition + "}]}}");
  };
  bench.api.put(path, widget("", R"(, "observedGeneration": 2)"));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("Synced is True, but of an earlier generation"));
  bench.api.put(path, widget(R"("observedGeneration": 2, )", ""));
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  bench.api.put(path, widget(R"("observedGeneration": 2, )", R"(, "observedGeneration": 3)"));
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied) << "the condition's own counts";
}

TEST(Wait, Count_AtLeastSoMany) {
  Bench bench("kube.wait", "for: [{kind: Pod, namespace: web, count: 2}]");
  bench.api.put(kPods + "a", pod("False"));
  EXPECT_EQ(bench.decide().reason, "Pod in web: 1 of 2 is there");
  bench.api.put(kPods + "b", pod("False"));
  bench.changed();
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Wait, Gone_HoldsWhenNoneIsLeft) {
  Bench some("kube.wait", "for: [{kind: Pod, namespace: web, gone: true}]");
  some.api.put(kPods + "a", pod("True"));
  EXPECT_THAT(some.decide().reason, HasSubstr("Pod web/a is still there"));
  Bench none("kube.wait", "for: [{kind: Pod, namespace: web, gone: true}]");
  EXPECT_EQ(none.decide().kind, Decision::Kind::kSatisfied);
}

void serve_silent_group(Bench& bench) {
  auto inner = bench.http.handler;
  bench.http.handler = [inner](HttpRequest request) -> Task<HttpResponse> {
    if (!request.url.ends_with("/apis")) co_return co_await inner(std::move(request));
    co_return kube::json_response(200, R"({"kind": "APIGroupDiscoveryList", "items": [
      {"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "freshness": "Stale"}]}]})");
  };
}

TEST(Wait, GoneOfAKindThatASilentApiServiceMayHave_IsUnknown) {
  Bench gone("kube.wait", "for: [{kind: Widget, gone: true}]");
  serve_silent_group(gone);
  try {
    gone.decide();
    FAIL() << "it was taken for gone";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kTransient);
    EXPECT_THAT(error.full_text(), HasSubstr("nobody answers for example.com/v1"));
  }
  Bench ready("kube.wait", "for: [{kind: Widget, ready: true}]");
  serve_silent_group(ready);
  EXPECT_EQ(ready.decide().kind, Decision::Kind::kWait);
}

TEST(Wait, MoreConditionsThanWatches_AreAllLookedAt) {
  std::string conditions;
  for (int i = 0; i < 16; ++i)
    conditions += "{kind: Pod, namespace: web, name: p" + std::to_string(i) + ", gone: true}, ";
  Bench gone("kube.wait",
             "for: [" + conditions + "{kind: Pod, namespace: web, name: x, gone: true}]");
  gone.api.put(kPods + "x", pod("True"));
  EXPECT_THAT(gone.decide().reason, HasSubstr("Pod web/x is still there"));
  Bench ready("kube.wait", "for: [" + conditions + "{kind: Pod, namespace: web, name: x}]");
  ready.api.put(kPods + "x", pod("False"));
  EXPECT_EQ(ready.decide().kind, Decision::Kind::kWait);
  ready.api.put(kPods + "x", pod("True"));
  ready.changed();
  EXPECT_EQ(ready.decide().kind, Decision::Kind::kSatisfied);
}

TEST(Wait, FailedJob_EndsEarly) {
  Bench bench("kube.wait", "for: [{kind: Job, namespace: web, name: j, ready: true}]");
  bench.api.put("/apis/batch/v1/namespaces/web/jobs/j",
                boost::json::parse(R"({"apiVersion": "batch/v1",
    "kind": "Job", "status": {"failed": 1, "conditions": [{"type": "Failed", "status": "True",
    "message": "Job has reached the specified backoff limit"}]}})"));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.reason, HasSubstr("backoff limit"));
}

TEST(Wait, TroubleThatMayPass_EndsTheWaitOnlyOnceItHasLasted) {
  Bench bench("kube.wait", "for: [{kind: ExternalSecret, namespace: web, name: db}]\ngrace: 10s");
  bench.api.put("/apis/external-secrets.io/v1/namespaces/web/externalsecrets/db",
                boost::json::parse(R"({"apiVersion": "external-secrets.io/v1",
    "kind": "ExternalSecret", "status": {"conditions": [{"type": "Ready", "status": "False",
    "message": "no store"}]}})"));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kWait);
  Clock& clock = bench.context().world().clock;
  bench.run(clock.sleep_until(clock.now() + std::chrono::seconds(10)));
  Decision over = bench.decide();
  EXPECT_EQ(over.kind, Decision::Kind::kBlocked);
  EXPECT_EQ(over.reason, "ExternalSecret web/db: Ready is False: no store (unchanged for 10.0s)");
}

TEST(Wait, TwoAnswersInOneCondition_AreAMistake) {
  Bench bench("kube.wait", "for: [{kind: Pod, ready: true, gone: true}]");
  EXPECT_THROW(bench.observe(), Error);
}

}  // namespace
}  // namespace blackstart::stages
