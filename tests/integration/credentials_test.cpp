// Who we are to a real API server: tokens, exec plugins and certificates, while they are good and
// when they are not, and while they are being replaced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/world/async.h"
#include "tests/integration/real_cluster.h"
#include "tests/unit/world/test_certificates.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kPlugin =
    "exec: {command: ./login, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}";

Task<void> get_together(kube::Client& client, kube::ObjectRef ref, size_t count) {
  TaskGroup group(client.world().executor);
  auto one = [](kube::Client& c, kube::ObjectRef r) -> Task<void> { co_await c.get(std::move(r)); };
  for (size_t i = 0; i < count; ++i) group.spawn(one(client, ref));
  co_await group.join();
}

/// What a plugin prints.
std::string credential_of(json::object status) {
  return json::serialize(json::object{{"kind", "ExecCredential"},
                                      {"apiVersion", "client.authentication.k8s.io/v1"},
                                      {"status", std::move(status)}});
}

class Credentials : public OnRealCluster {
 protected:
  /// A kubeconfig of this cluster with another user, given as YAML on one line.
  kube::Endpoint endpoint_of(const std::string& user) {
    const std::string ca = base64_encode(client().endpoint().tls->ca);
    const std::string path =
        folder_.write("config",
                      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                      "clusters: [{name: k, cluster: {server: '" +
                          client().endpoint().server + "', certificate-authority-data: " + ca +
                          "}}]\nusers: [{name: u, user: {" + user + "}}]\n");
    return kube::load_kubeconfig(client().world().files, {path}, "");
  }

  /// The plugin ./login prints the file answer-N, N counting its calls; the last one stays.
  void write_plugin(const std::vector<std::string>& answers) {
    for (size_t i = 0; i < answers.size(); ++i)
      folder_.write("answer-" + std::to_string(i + 1), answers[i]);
    const std::string script = folder_.write(
        "login", "#!/bin/sh\ncd " + folder_.path() +
                     "\necho call >> calls\nn=$(wc -l < calls)\n[ -f answer-$n ] || n=" +
                     std::to_string(answers.size()) + "\ncat answer-$n\n");
    chmod(script.c_str(), 0700);
  }
  size_t calls() const { return split(read_file(folder_.path() + "/calls"), '\n').size() - 1; }

  /// Of a service account that may read ConfigMaps here and nothing else.
  std::string token() {
    cluster().kubectl({"create", "serviceaccount", "reader", "-n", name_space()});
    cluster().kubectl({"create", "rolebinding", "reader", "--clusterrole=view",
                       "--serviceaccount=" + name_space() + ":reader", "-n", name_space()});
    const Ran made = cluster().kubectl({"create", "token", "reader", "-n", name_space()});
    EXPECT_EQ(made.code, 0) << made.all();
    // The role is put together by a controller, which in a fresh cluster may not have run yet.
    EXPECT_TRUE(eventually([this] { return may_read(); }, seconds(60)));
    return std::string(trim(made.out));
  }

  bool may_read() {
    const std::string reader = "system:serviceaccount:" + name_space() + ":reader";
    return cluster()
               .kubectl({"auth", "can-i", "get", "configmaps", "-n", name_space(), "--as", reader})
               .code == 0;
  }

  Certificate admin() {
    return {client().endpoint().tls->certificate, client().endpoint().tls->key};
  }
  /// The cluster's own CA with its key.
  Certificate ca() {
    const std::filesystem::path pki =
        std::filesystem::path(client().endpoint().certificate_file).parent_path();
    return {read_file(pki / "ca.crt"), read_file(pki / "ca.key")};
  }
  void write_pair(const Certificate& pair) {
    folder_.write("pair.crt", pair.certificate);
    folder_.write("pair.key", pair.key);
  }

  void expect_good(kube::Client& one) { EXPECT_NO_THROW(result(one.get(config_map("x")))); }

  Error failure_of(kube::Client& one) {
    try {
      result(one.get(config_map("x")));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorClass::kBug, "none");
  }

  TemporaryFolder folder_;
};

TEST_F(Credentials, ATokenFile_IsReadAgainWhenItIsReplaced) {
  folder_.write("token", "nonsense\n");
  kube::Client one(client().world(), endpoint_of("tokenFile: token"));
  const Error error = failure_of(one);
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_THAT(error.full_text(), HasSubstr("the token is that of " + folder_.path() + "/token"));
  folder_.write("token", token() + "\n");
  expect_good(one);
}

TEST_F(Credentials, APlugin_IsAskedOnceForAHundredRequests) {
  write_plugin({credential_of({{"token", token()}})});
  kube::Client one(client().world(), endpoint_of(kPlugin));
  run(get_together(one, config_map("x"), 100));
  EXPECT_EQ(calls(), 1u);
}

TEST_F(Credentials, APluginsTokenThatIsRefused_IsReplacedByTheNext) {
  write_plugin({credential_of({{"token", "nonsense"}}), credential_of({{"token", token()}})});
  kube::Client one(client().world(), endpoint_of(kPlugin));
  expect_good(one);
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Credentials, APluginsTokenThatHasExpired_IsAskedForAgain) {
  const std::string first = token(), second = token();  // takes a while
  const std::string soon = format_utc(client().world().clock.wall_time() + seconds(6));
  write_plugin({credential_of({{"token", first}, {"expirationTimestamp", soon}}),
                credential_of({{"token", second}})});
  kube::Client one(client().world(), endpoint_of(kPlugin));
  expect_good(one);
  EXPECT_EQ(calls(), 1u);
  run(client().world().clock.sleep_until(client().world().clock.now() + seconds(6)));
  expect_good(one);
  EXPECT_EQ(calls(), 2u);
}

TEST_F(Credentials, APluginsCertificate_IsShown) {
  write_plugin({credential_of(
      {{"clientCertificateData", admin().certificate}, {"clientKeyData", admin().key}})});
  kube::Client one(client().world(), endpoint_of(kPlugin));
  EXPECT_EQ(result(one.identity()), result(client().identity()));
}

TEST_F(Credentials, APluginThatFails_SaysWhyAndNoRequestIsSent) {
  const std::string script = folder_.write("login", "#!/bin/sh\necho no session >&2\nexit 3\n");
  chmod(script.c_str(), 0700);
  kube::Client one(client().world(), endpoint_of(kPlugin));
  const Error error = failure_of(one);
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_THAT(error.full_text(), HasSubstr("it ended with exit code 3: no session"));
  EXPECT_THAT(error.place().to_string(), HasSubstr("config:4:"));
}

TEST_F(Credentials, CertificateFiles_AreReadAgainWhenTheyAreReplaced) {
  write_pair(make_leaf(make_ca("another")));
  kube::Client one(client().world(),
                   endpoint_of("client-certificate: pair.crt, client-key: pair.key"));
  EXPECT_EQ(failure_of(one).error_class(), ErrorClass::kAuthentication);
  write_pair(admin());
  run(client().world().clock.sleep_until(client().world().clock.now() + seconds(1)));
  expect_good(one);
}

TEST_F(Credentials, AnExpiredClientCertificate_IsNamedWithItsTime) {
  Leaf expired;
  expired.not_after = seconds(-60);
  write_pair(make_leaf(ca(), expired));
  kube::Client one(client().world(),
                   endpoint_of("client-certificate: pair.crt, client-key: pair.key"));
  const Error error = failure_of(one);
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_THAT(error.full_text(),
              AllOf(HasSubstr("Unauthorized"), HasSubstr("pair.crt was shown, "
                                                         "which expired at 20")));
}

TEST_F(Credentials, AServiceAccountWithTooLittlePermission_IsToldWhichOneItLacks) {
  kube::Client one(client().world(), endpoint_of("token: " + token()));
  try {
    result(one.list("v1", "Secret", name_space()));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_THAT(error.full_text(), HasSubstr(":reader\" cannot list resource \"secrets\""));
    EXPECT_EQ(error.hint(), "grant this permission, or use a kubeconfig that has it");
  }
}

TEST_F(Credentials, AnImpersonator_HasTheRightsOfWhomItActsFor) {
  write_pair(admin());
  const std::string user =
      "client-certificate: pair.crt, client-key: pair.key, as: jane, as-groups: ["
      "'system:masters', b], as-user-extra: {example.com/scope: [x]}";
  kube::Client one(client().world(), endpoint_of(user));
  expect_good(one);
  kube::Endpoint weak = endpoint_of(user);
  weak.as.groups.clear();
  kube::Client other(client().world(), weak);
  EXPECT_THAT(failure_of(other).full_text(), HasSubstr("User \"jane\" cannot"));
}

size_t count_in(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Files below `folder` that hold `text`.
std::vector<std::string> files_with(const std::string& folder, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && read_file(entry.path()).find(text) != std::string::npos)
      found.push_back(entry.path());
  }
  return found;
}

constexpr const char* kPlan = R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: existing}
spec:
  cluster: {kubeconfig: kubeconfig}
  stages:
    - {name: demo, uses: kube.namespace, with: {name: demo}}
    - name: web
      uses: helm.release
      needs: [demo]
      with: {release: web, namespace: demo, chart: {path: chart}}
)";

/// A plan of two stages on another rehearsal's cluster: as an exec plugin's service account, at a
/// server that is not verified.
class ThePlansUser : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_PART("kwokctl");
    NEEDS_PART("helm");
    made_.write("plan.yaml", plan_with_cluster(""));
    ASSERT_EQ(made_.blackstart({"apply"}).code, 0);
    made_.kubectl({"create", "serviceaccount", "boss", "-n", "default"});
    made_.kubectl({"create", "clusterrolebinding", "boss", "--clusterrole=cluster-admin",
                   "--serviceaccount=default:boss"});
    token_ = trim(made_.kubectl({"create", "token", "boss", "-n", "default"}).out);
    const std::string server =
        made_.kubectl({"config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"}).out;
    user_.write("kubeconfig",
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                "clusters: [{name: k, cluster: {insecure-skip-tls-verify: true, server: '" +
                    server + "'}}]\nusers: [{name: u, user: {" + kPlugin + "}}]\n");
    user_.write("login", "#!/bin/sh\necho '" + credential_of({{"token", token_}}) + "'\n");
    chmod((user_.folder() + "/login").c_str(), 0700);
    user_.write("plan.yaml", kPlan);
    user_.write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    user_.write("chart/templates/web.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n");
  }

  Rehearsal made_, user_;
  std::string token_;
};

TEST_F(ThePlansUser, IsAPluginForUsAndForHelm_AndEveryRunWarnsOfAServerThatIsNotVerified) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"plan"}, {"apply", "--events", "events.ndjson"}, {"status"}, {"destroy", "--yes"}}) {
    const Ran ran = user_.blackstart(command);
    EXPECT_EQ(ran.code, 0) << command[0] << "\n" << ran.all();
    EXPECT_EQ(count_in(ran.all(), "is not verified"), 1u) << command[0] << "\n" << ran.all();
    EXPECT_EQ(count_in(ran.all(), token_), 0u) << command[0];
    if (command[0] == "apply") {
      EXPECT_EQ(made_.kubectl({"get", "configmap", "web", "-n", "demo"}).code, 0) << ran.all();
    }
  }
  EXPECT_THAT(files_with(user_.state(), token_), testing::IsEmpty());
  EXPECT_THAT(files_with(user_.folder(), token_), testing::ElementsAre(user_.folder() + "/login"));
}

}  // namespace
}  // namespace blackstart::test
