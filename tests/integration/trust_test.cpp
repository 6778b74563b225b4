// Whom the program trusts: where a kubeconfig names a CA, that one alone.
#include <gtest/gtest.h>

#include <atomic>

#include "orchestrator/base/text.h"
#include "tests/integration/support/program.h"
#include "tests/unit/world/test_certificates.h"
#include "tests/unit/world/test_server.h"

namespace blackstart::test {
namespace {

/// A server whose certificate is of a CA of the system, in a mount namespace of the program's own.
class Trust : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("certs/system.pem", system_.certificate);
    folder_.write("certs/ca-certificates.crt", system_.certificate);
    Invocation rehash;
    rehash.argv = {"openssl", "rehash", certs()};
    ASSERT_EQ(run(rehash).code, 0);
    if (run(with_system_ca({"true"})).code != 0)
      GTEST_SKIP() << "NOT RUN: no mount namespace may be made here";
  }

  std::string certs() const { return folder_.path() + "/certs"; }

  Invocation with_system_ca(const std::vector<std::string>& argv) const {
    Invocation invocation;
    invocation.argv = {"unshare", "--mount", "--map-root-user",
                       "bash",    "-c",      "mount --bind \"$0\" /etc/ssl/certs && exec \"$@\"",
                       certs()};
    invocation.argv.insert(invocation.argv.end(), argv.begin(), argv.end());
    invocation.folder = folder_.path();
    return invocation;
  }

  /// `status` of a plan for this server; the kubeconfig's cluster has `ca`, as base64, if any.
  Ran status(const std::string& ca) {
    const std::string authority = ca.empty() ? "" : ", certificate-authority-data: " + ca;
    folder_.write("kubeconfig",
                  "{apiVersion: v1, kind: Config, current-context: c,\nclusters: [{name: c, "
                  "cluster: {server: '" +
                      server_.url("") + "'" + authority +
                      "}}],\nusers: [{name: u, user: {token: a-token}}],\n"
                      "contexts: [{name: c, context: {cluster: c, user: u}}]}\n");
    folder_.write("plan.yaml",
                  "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: trust}\n"
                  "spec:\n  cluster: {kubeconfig: kubeconfig}\n  stages:\n"
                  "    - {name: web, uses: kube.namespace, with: {name: web}}\n");
    return run(with_system_ca(
        {BLACKSTART_PROGRAM, "status", "plan.yaml", "--state", folder_.path() + "/state"}));
  }

  TemporaryFolder folder_;
  Certificate system_ = make_ca("a CA of the system");
  std::atomic<int> asked_ = 0;
  TestServer server_{[this](Connection& connection) {
                       connection.read_request();
                       ++asked_;
                       connection.send(response("{}", "Content-Type: application/json\r\n"));
                     },
                     TestServer::Tls{make_leaf(system_), ""}};
};

TEST_F(Trust, WithoutACaInTheKubeconfig_TheSystemsCount) {
  status("");
  EXPECT_GT(asked_, 0);
}

TEST_F(Trust, WithACaInTheKubeconfig_TheSystemsDoNotCount) {
  const Ran ran = status(base64_encode(make_ca("the cluster's CA").certificate));
  EXPECT_EQ(asked_, 0) << "the token was sent";
  EXPECT_NE(ran.all().find("the server's certificate is not trusted"), std::string::npos)
      << ran.all();
}

}  // namespace
}  // namespace blackstart::test
