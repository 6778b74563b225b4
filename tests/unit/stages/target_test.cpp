// Which cluster it is: recorded once, compared always.
#include "stages/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/world/async.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Task<void> connect_only(engine::Context& context) { co_await connect(context); }

class Target : public testing::Test {
 protected:
  Bench bench{"kube.namespace", "name: demo"};

  Error failure() {
    try {
      bench.run(connect_only(bench.context()));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorClass::kBug, "none");
  }
};

TEST_F(Target, FirstConnection_RecordsTheIdentity) {
  bench.observe();
  EXPECT_THAT(bench.files.content[kIdentity], HasSubstr("the-cluster"));
}

TEST_F(Target, SeenFirstByALookThatMayNotWrite_IsRememberedByTheFirstThatMay) {
  bench.context().read_only = true;
  bench.observe();
  EXPECT_FALSE(bench.files.content.contains(kIdentity));
  bench.context().read_only = false;
  bench.observe();
  EXPECT_THAT(bench.files.content[kIdentity], HasSubstr("the-cluster"));
}

TEST_F(Target, SecretsOfTheKubeconfig_AreNeverShown) {
  std::string& kubeconfig = bench.files.content["/p/kubeconfig"];
  size_t token = kubeconfig.find("token: t");
  ASSERT_NE(token, std::string::npos);
  kubeconfig.replace(token, 8, "token: canary-of-the-kubeconfig");
  bench.observe();
  EXPECT_EQ(bench.context().bus().redactor().clean("canary-of-the-kubeconfig"), "***");
}

/// Of the bench's kubeconfig.
void replace_in_kubeconfig(Bench& bench, const std::string& part, const std::string& by) {
  std::string& kubeconfig = bench.files.content["/p/kubeconfig"];
  const size_t at = kubeconfig.find(part);
  ASSERT_NE(at, std::string::npos);
  kubeconfig.replace(at, part.size(), by);
}

TEST_F(Target, TokenOfAnExecPlugin_IsNeverShown) {
  replace_in_kubeconfig(bench, "token: t",
                        "exec: {command: login, apiVersion: "
                        "client.authentication.k8s.io/v1beta1}");
  bench.processes.handler = [](const Command&) {
    Exit exit;
    exit.out = R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",)"
               R"("status":{"token":"canary-of-the-plugin"}})";
    return exit;
  };
  bench.observe();
  EXPECT_THAT(bench.processes.ran, testing::ElementsAre("login"));
  EXPECT_EQ(bench.context().bus().redactor().clean("canary-of-the-plugin"), "***");
}

size_t count_in(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(Target, ThatIsNotVerified_IsWarnedOfOnceARun) {
  replace_in_kubeconfig(bench, "server: \"https://api\"",
                        "server: \"https://api\", insecure-skip-tls-verify: true");
  bench.context().read_only = true;  // a plan and a status too
  bench.observe();
  bench.observe();
  EXPECT_EQ(count_in(bench.published(), "the API server at https://api is not verified"), 1u);
}

TEST_F(Target, AnotherCluster_IsRefusedBeforeAnyWriteNamingBoth) {
  bench.files.content[kIdentity] = "the cluster of yesterday\n";
  try {
    bench.converge();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_THAT(error.causes(), Contains(HasSubstr("the cluster of yesterday")));
    EXPECT_THAT(error.causes(), Contains(HasSubstr("the-cluster")));
    EXPECT_THAT(error.causes(), Contains(HasSubstr("/p/kubeconfig")));
    EXPECT_THAT(error.hint(), HasSubstr("nothing was written"));
  }
  EXPECT_THAT(bench.api.writes, IsEmpty());
  EXPECT_EQ(bench.files.content[kIdentity], "the cluster of yesterday\n");
}

Task<void> connect_together(engine::Context& context, size_t count) {
  TaskGroup group(context.world().executor);
  for (size_t i = 0; i < count; ++i) group.spawn(connect_only(context));
  co_await group.join();
}

TEST_F(Target, RecordThatWasEmptied_RefusesEveryCluster) {
  bench.observe();
  bench.run(forget_cluster(bench.context()));
  bench.files.content[kIdentity] = "";
  EXPECT_EQ(failure().error_class(), ErrorClass::kAuthentication);
}

TEST_F(Target, StagesThatConnectAtOnce_ShareOneCheck) {
  bench.observe();
  bench.run(forget_cluster(bench.context()));
  bench.http.requests.clear();
  bench.run(connect_together(bench.context(), 8));
  EXPECT_EQ(bench.http.count("kube-system"), 1u);
}

TEST_F(Target, FailedCheck_FailsAllAndTheNextTryChecksAgain) {
  bench.files.content[kIdentity] = "another";
  EXPECT_THROW(bench.observe(), Error);
  EXPECT_THROW(bench.run(connect_together(bench.context(), 4)), Error);
  bench.files.content.erase(kIdentity);
  EXPECT_NO_THROW(bench.run(connect_together(bench.context(), 4)));
}

Task<void> cancel_the_first(engine::Context& context) {
  TaskGroup first(context.world().executor);
  TaskGroup second(context.world().executor);
  first.spawn(connect_only(context));
  second.spawn(connect_only(context));
  first.cancel();
  co_await second.join();
  try {
    co_await first.join();
  } catch (const Error&) {
  }
}

TEST_F(Target, CheckerCancelled_AnotherTakesOver) {
  bench.observe();
  bench.run(forget_cluster(bench.context()));
  EXPECT_NO_THROW(bench.run(cancel_the_first(bench.context())));
  EXPECT_THAT(bench.files.content[kIdentity], HasSubstr("the-cluster"));
}

TEST_F(Target, KubeconfigOfAStageThatHasNotRun_IsWaitedFor) {
  bench.outputs.clear();
  auto seen = bench.observe();
  EXPECT_EQ(seen.state, engine::Observation::State::kDeferred);
  EXPECT_EQ(seen.deferred_on, "cluster");
}

/// Plays an API server that refuses connections, or answers /readyz with this status and /version
/// with that.
void play(Bench& bench, int readyz, int version = 200) {
  auto inner = bench.http.handler;
  bench.http.handler = [inner, readyz, version](HttpRequest request) -> Task<HttpResponse> {
    if (readyz == 0)
      throw Error(ErrorClass::kUnreachable, "no connection").because("Connection refused");
    HttpResponse response;
    response.status = request.url.ends_with("/readyz") ? readyz : version;
    response.body =
        response.status == 200 ? R"({"gitVersion": "v1.36.3"})" : "[+]ping ok\n[-]etcd failed\n";
    bool known = request.url.ends_with("/readyz") || request.url.ends_with("/version");
    if (!known) co_return co_await inner(std::move(request));
    co_return response;
  };
}

TEST(ExistingCluster, ThatDoesNotAnswer_IsUnreachableAndSaysWhatWasTried) {
  Bench bench("cluster.existing", "{kubeconfig: kubeconfig, context: test, wait: 5m}");
  play(bench, 0);
  try {
    bench.observe();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable);
    EXPECT_THAT(error.full_text(), HasSubstr("Connection refused"));
    EXPECT_THAT(error.full_text(), HasSubstr("/p/kubeconfig"));
    EXPECT_TRUE(error.place().known());
  }
  EXPECT_EQ(bench.context().patience, std::chrono::minutes(5));
  EXPECT_FALSE(bench.context().shared().target_reached);
}

TEST(ExistingCluster, ThatIsAnotherThanThePlansWas_IsRefused) {
  Bench bench("cluster.existing", "{kubeconfig: kubeconfig, context: test}");
  play(bench, 200);
  EXPECT_TRUE(bench.observe().is_present());
  EXPECT_THAT(bench.files.content[kIdentity], HasSubstr("the-cluster"))
      << "nobody else may connect";
  bench.files.content[kIdentity] = "the cluster of yesterday\n";
  try {
    bench.observe();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_THAT(error.causes(), Contains(HasSubstr("the cluster of yesterday")));
  }
}

TEST(ExistingCluster, ThatIsNotReady_IsThereAndWaitedFor) {
  Bench bench("cluster.existing", "{kubeconfig: kubeconfig, context: test}");
  play(bench, 500);
  engine::Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, engine::Decision::Kind::kWait);
  EXPECT_THAT(decision.reason, HasSubstr("is not ready: the server answered 500: etcd failed"));
  EXPECT_TRUE(bench.context().shared().target_reached);
}

TEST(ExistingCluster, WhoseLoadBalancerAnswersInItsStead_IsWaitedForAndNotReached) {
  Bench bench("cluster.existing", "{kubeconfig: kubeconfig, context: test}");
  play(bench, 503, 503);
  EXPECT_EQ(bench.decide().kind, engine::Decision::Kind::kWait);
  EXPECT_FALSE(bench.context().shared().target_reached);
}

TEST_F(Target, Forgotten_IdentityIsTakenAnew) {
  bench.observe();
  bench.run(forget_cluster(bench.context()));
  EXPECT_FALSE(bench.files.content.contains(kIdentity));
  bench.files.content[kIdentity] = "another";
  EXPECT_EQ(failure().error_class(), ErrorClass::kAuthentication);
}

}  // namespace
}  // namespace blackstart::stages
