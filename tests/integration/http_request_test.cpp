// http.request against a real API with a CA and client certificates of its own: the API server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/integration/real_cluster.h"
#include "tests/unit/world/test_certificates.h"

namespace blackstart::test {
namespace {

using testing::HasSubstr;

class HttpRequest : public testing::Test {
 protected:
  void SetUp() override {
    RealCluster& cluster = RealCluster::get();
    if (!cluster.usable()) {
      if (cluster.failure().starts_with("NOT RUN")) GTEST_SKIP() << cluster.failure();
      FAIL() << cluster.failure();
    }
    const Ran asked =
        cluster.kubectl({"config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"});
    server_ = asked.out;
    name_ = "asked-" + std::to_string(getpid());
  }
  void TearDown() override {
    RealCluster::get().kubectl({"delete", "configmap", name_, "--ignore-not-found"});
  }

  /// Waits until the server is ready, then makes a ConfigMap by POST, unless it is there.
  void plan(const std::string& data = "{a: '1'}",
            const std::string& ca = RealCluster::get().pki("ca.crt")) {
    const std::string identity = ", ca: " + ca +
                                 ", certificate: " + RealCluster::get().pki("admin.crt") +
                                 ", key: " + RealCluster::get().pki("admin.key");
    const std::string maps = server_ + "/api/v1/namespaces/default/configmaps";
    rehearsal_.write("plan.yaml",
                     "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: asks}\n"
                     "spec:\n  stages:\n"
                     "    - {name: up, uses: http.request, timeout: 20s, with: {url: '" +
                         server_ + "/readyz'" + identity +
                         "}}\n"
                         "    - name: made\n      uses: http.request\n      needs: [up]\n"
                         "      with: {method: POST, url: '" +
                         maps + "', body: {apiVersion: v1, kind: ConfigMap, metadata: {name: " +
                         name_ + "}, data: " + data + "}, check: {url: '" + maps + "/" + name_ +
                         "', expect: {json: {.data.a: '1'}}}" + identity + "}\n");
  }

  std::string server_, name_;
  Rehearsal rehearsal_;
};

TEST_F(HttpRequest, IsSentOnce) {
  plan();
  const Ran first = rehearsal_.blackstart({"apply"});
  EXPECT_EQ(first.code, 0) << first.all();
  EXPECT_THAT(first.all(), HasSubstr("send POST " + server_));
  const Ran again = rehearsal_.blackstart({"apply"});
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_THAT(again.all(), HasSubstr("2 with nothing to do"));
  RealCluster::get().kubectl({"delete", "configmap", name_});
  EXPECT_EQ(rehearsal_.blackstart({"status"}).code, 2) << "it was taken away";
  EXPECT_EQ(rehearsal_.blackstart({"apply"}).code, 0);
}

TEST_F(HttpRequest, WhatTheServerRefuses_IsToldInItsWords) {
  plan("[wrong]");
  const Ran ran = rehearsal_.blackstart({"apply"});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("it answers 400 instead of 2xx"));
  EXPECT_THAT(ran.err, HasSubstr("cannot unmarshal array"));
}

TEST_F(HttpRequest, WhatIsThereAndNotAsWanted_IsNotMadeAgain) {
  plan("{a: '2'}");
  ASSERT_EQ(RealCluster::get().kubectl({"create", "configmap", name_, "--from-literal=a=2"}).code,
            0);
  const Ran ran = rehearsal_.blackstart({"apply"});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("AlreadyExists"));
}

TEST_F(HttpRequest, AServerOfAnotherCa_HearsNothing) {
  rehearsal_.write("other.crt", make_ca("another CA").certificate);
  plan("{a: '1'}", "other.crt");
  const Ran ran = rehearsal_.blackstart({"apply"});
  EXPECT_EQ(ran.code, 4) << ran.all();
  EXPECT_THAT(ran.err, HasSubstr("the server's certificate is not trusted"));
  EXPECT_NE(RealCluster::get().kubectl({"get", "configmap", name_}).code, 0);
}

}  // namespace
}  // namespace blackstart::test
