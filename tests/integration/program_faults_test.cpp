// The program, as a user runs it, on an API server to which the worst happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/real_cluster.h"
#include "tests/integration/support/shown_certificate.h"
#include "tests/unit/world/test_certificates.h"

namespace blackstart::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

std::string map(const std::string& name, const std::string& value) {
  return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {value: \"" +
         value + "\"}\n";
}

class ProgramFaults : public OnRealCluster {
 protected:
  void SetUp() override {
    OnRealCluster::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    rehearsal.use_cluster(cluster().kubeconfig());
    rehearsal.write("plan.yaml",
                    "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: faults}\n"
                    "spec:\n  cluster: {kubeconfig: " +
                        cluster().kubeconfig() +
                        "}\n  stages:\n    - name: maps\n      uses: kube.manifests\n"
                        "      timeout: 180s\n      with: {path: maps.yaml, namespace: " +
                        name_space() + "}\n");
  }
  int api_port() {
    const std::string& url = client().endpoint().server;
    return std::stoi(url.substr(url.rfind(':') + 1));
  }
  void wait_until_ready() {
    ASSERT_TRUE(eventually([&] { return result(client().is_ready(nullptr)); }, seconds(60)));
  }
  std::vector<boost::json::value> maps() {
    return std::move(result(client().list("v1", "ConfigMap", name_space(), "")).value().items);
  }

  Rehearsal rehearsal;
};

TEST_F(ProgramFaults, ApiServerKilledDuringAnApplyOf1000_AllComesInTheEnd) {
  constexpr size_t kCount = 1000;
  std::string all;
  for (size_t i = 0; i < kCount; ++i) all += map("m" + std::to_string(i), std::to_string(i));
  rehearsal.write("maps.yaml", all);
  Background running = rehearsal.start({"apply", "--events", "events"});
  ASSERT_TRUE(eventually([&] { return maps().size() > kCount / 10; }, seconds(60)));
  cluster().kill_api_server();
  run(client().world().clock.sleep_until(client().world().clock.now() + seconds(3)));
  cluster().start_api_server();
  const Ran ran = running.wait(seconds(240));
  EXPECT_EQ(ran.code, 0) << ran.all();
  EXPECT_THAT(read_file(rehearsal.folder() + "/events"), HasSubstr(R"("type":"retry")"))
      << "it was not in the middle";
  size_t found = 0;
  for (const boost::json::value& one : maps()) {
    const std::string name = kube::text_at(one, {"metadata", "name"});
    if (!name.starts_with('m')) continue;  // the cluster's own
    ++found;
    EXPECT_EQ("m" + kube::text_at(one, {"data", "value"}), name);
  }
  EXPECT_EQ(found, kCount);
  const Ran again = rehearsal.blackstart({"apply"});
  EXPECT_THAT(again.all(), HasSubstr("nothing to do"));
}

TEST_F(ProgramFaults, AServerCertificateThatHasExpired_IsNamedAtOnce) {
  rehearsal.write("maps.yaml", map("m0", "0"));
  Leaf expired;
  expired.not_after = seconds(-60);
  const Certificate leaf =
      make_leaf({read_file(cluster().pki("ca.crt")), read_file(cluster().pki("ca.key"))}, expired);
  const TemporaryFolder folder;
  cluster().kill_api_server();
  cluster().use_certificate(folder.write("tls.crt", leaf.certificate),
                            folder.write("tls.key", leaf.key));
  cluster().start_api_server();
  EXPECT_TRUE(
      eventually([&] { return shown_certificate(api_port()) == leaf.certificate; }, seconds(60)));
  const Ran refused = rehearsal.blackstart({"apply"});
  cluster().kill_api_server();
  cluster().use_certificate(cluster().pki("admin.crt"), cluster().pki("admin.key"));
  cluster().start_api_server();
  wait_until_ready();
  cluster().revive_controllers();
  EXPECT_EQ(refused.code, 4) << refused.all();
  EXPECT_LT(refused.elapsed, seconds(10)) << "it does not become right by waiting";
  EXPECT_THAT(refused.err, HasSubstr("the server's certificate has expired"));
  EXPECT_THAT(refused.err, HasSubstr("renew it; if it has not expired, this machine's clock is "
                                     "wrong"));
  const Ran again = rehearsal.blackstart({"apply"});
  EXPECT_EQ(again.code, 0) << again.all();
}

}  // namespace
}  // namespace blackstart::test
