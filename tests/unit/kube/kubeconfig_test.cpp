#include "orchestrator/kube/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using testing::HasSubstr;

std::string config(const std::string& user,
                   const std::string& cluster = "server: https://one:6443/") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster: {" +
         cluster + "}\nusers:\n- name: u\n  user: {" + user +
         "}\ncontexts:\n- name: c\n  context: {cluster: k, user: u, namespace: argocd}\n";
}

Endpoint load(const std::string& text, const std::string& context = "") {
  MemoryFiles files;
  files.content = {{"/home/config", text},
                   {"/home/pki/ca.crt", "CA"},
                   {"/home/t", "TOKEN"},
                   {"/home/cert", "CERT"},
                   {"/abs/key", "KEY"}};
  return load_kubeconfig(files, {"/home/config"}, context);
}

std::string refusal(const std::string& text, const std::string& context = "") {
  try {
    load(text, context);
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
    return error.full_text() + " | " + error.hint();
  }
  return "accepted";
}

TEST(Kubeconfig, ReadsServerAndToken) {
  const Endpoint endpoint = load(config("token: secret"));
  EXPECT_EQ(endpoint.server, "https://one:6443");
  EXPECT_EQ(endpoint.context, "c");
  EXPECT_EQ(endpoint.token, "secret");
}

TEST(Kubeconfig, FindsRelativeFilesBesideTheFileThatNamesThem) {
  const Endpoint endpoint =
      load(config("client-certificate: cert, client-key: /abs/key, tokenFile: t",
                  "server: https://one, certificate-authority: ./pki/ca.crt"));
  EXPECT_EQ(endpoint.tls->ca, "CA");
  EXPECT_EQ(endpoint.tls->certificate, "CERT");
  EXPECT_EQ(endpoint.tls->key, "KEY");
  EXPECT_EQ(endpoint.token_file, "/home/t");
}

TEST(Kubeconfig, ReadsWhatStandsInItself) {
  const Endpoint endpoint =
      load(config("client-certificate-data: QQ==, client-key-data: Qg==",
                  "server: https://one, certificate-authority-data: TkVX, tls-server-name: other, "
                  "proxy-url: http://p, disable-compression: true"));
  EXPECT_EQ(endpoint.tls->ca, "NEW");
  EXPECT_EQ(endpoint.tls->certificate, "A");
  EXPECT_EQ(endpoint.tls->key, "B");
  EXPECT_EQ(endpoint.tls->server_name, "other");
  EXPECT_EQ(endpoint.tls->proxy, "http://p");
  EXPECT_TRUE(endpoint.disable_compression);
}

TEST(Kubeconfig, GivenBothDataAndAFile_IsRefusedAsByKubectl) {
  const std::string both = "certificate-authority: pki/ca.crt, certificate-authority-data: TkVX";
  EXPECT_THAT(refusal(config("", "server: https://one, " + both)),
              HasSubstr("both certificate-authority and certificate-authority-data"));
  EXPECT_THAT(refusal(config("client-certificate: cert, client-certificate-data: QQ==, "
                             "client-key-data: Qg==")),
              HasSubstr("both client-certificate and client-certificate-data"));
  EXPECT_THAT(refusal(config("client-certificate: cert, client-key: /abs/key, "
                             "client-key-data: Qg==")),
              HasSubstr("both client-key and client-key-data"));
}

TEST(Kubeconfig, OfSeveralFilesTheFirstToDefineANameWins) {
  MemoryFiles files;
  files.content["/a/config"] = "clusters: [{name: k, cluster: {server: 'https://first'}}]\n";
  files.content["/b/config"] = config("token: t", "server: https://second");
  const Endpoint endpoint = load_kubeconfig(files, {"/missing", "/a/config", "/b/config"}, "");
  EXPECT_EQ(endpoint.server, "https://first");
  EXPECT_EQ(endpoint.token, "t");
}

TEST(Kubeconfig, CompletesAServerWithoutSchemeAsKubectlDoes) {
  EXPECT_EQ(load(config("", "server: 'one:80'")).server, "http://one:80");
  EXPECT_EQ(load(config("", "server: 'one:80', insecure-skip-tls-verify: true")).server,
            "http://one:80")
      << "whatever else is said of TLS";
}

TEST(Kubeconfig, RefusesByNameWhatItCannotDo) {
  EXPECT_THAT(refusal(config("auth-provider: {name: gcp}")), HasSubstr("auth-provider"));
  EXPECT_THAT(refusal(config("username: a, password: b")), HasSubstr("basic authentication"));
  const std::string encrypted = base64_encode("-----BEGIN ENCRYPTED PRIVATE KEY-----");
  EXPECT_THAT(refusal(config("client-certificate: cert, client-key-data: " + encrypted)),
              HasSubstr("encrypted"));
}

TEST(Kubeconfig, ReadsAnExecPluginWithItsCommandRelativeToTheFile) {
  const Endpoint endpoint =
      load(config("exec: {command: ./bin/login, args: [a, --b], env: [{name: NAME, value: v}], "
                  "installHint: hint, "
                  "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
                  "provideClusterInfo: true}"));
  ASSERT_TRUE(endpoint.exec);
  EXPECT_EQ(endpoint.exec->command, "/home/bin/login");
  EXPECT_THAT(endpoint.exec->args, testing::ElementsAre("a", "--b"));
  EXPECT_EQ(endpoint.exec->environment.at("NAME"), "v");
  EXPECT_EQ(endpoint.exec->install_hint, "hint");
  EXPECT_TRUE(endpoint.exec->provide_cluster_info);
}

TEST(Kubeconfig, AsksAPluginOnlyWhenThereIsNothingElse) {
  const std::string plugin =
      "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1}";
  EXPECT_EQ(load(config(plugin)).exec->command, "aws") << "looked for on PATH";
  EXPECT_FALSE(load(config("token: t, " + plugin)).exec);
  EXPECT_FALSE(load(config("tokenFile: t, " + plugin)).exec);
  EXPECT_FALSE(load(config("client-certificate: cert, client-key: /abs/key, " + plugin)).exec);
}

TEST(Kubeconfig, RefusesPluginsThatCannotBeRunHere) {
  auto plugin = [](const std::string& more) {
    return refusal(config("exec: {command: aws, " + more + "}"));
  };
  const std::string v1 = "apiVersion: client.authentication.k8s.io/v1";
  EXPECT_THAT(plugin(v1 + ", interactiveMode: Always"), HasSubstr("must have a terminal"));
  EXPECT_THAT(plugin(v1), HasSubstr("no valid interactiveMode"));
  EXPECT_THAT(plugin(v1 + ", interactiveMode: never"), HasSubstr("no valid interactiveMode"));
  EXPECT_THAT(plugin(v1 + "alpha1"), HasSubstr("has the apiVersion"));
  EXPECT_THAT(plugin("args: []"), HasSubstr("has the apiVersion \"\""));
  EXPECT_THAT(refusal(config("exec: {" + v1 + "}")), HasSubstr("has no command"));
}

TEST(Kubeconfig, ReadsWhoIsImpersonated) {
  const Impersonation as = load(config("token: t, as: admin, as-uid: '7', as-groups: [a, b], "
                                       "as-user-extra: {scope: [x, z]}"))
                               .as;
  EXPECT_EQ(as.user, "admin");
  EXPECT_EQ(as.uid, "7");
  EXPECT_THAT(as.groups, testing::ElementsAre("a", "b"));
  EXPECT_THAT(as.extra.at("scope"), testing::ElementsAre("x", "z"));
  EXPECT_THAT(refusal(config("token: t, as-groups: [a]")), HasSubstr("of nobody"));
}

TEST(Kubeconfig, ShowsNothingToAServerWithoutTls) {
  const Endpoint endpoint = load(
      config("token: t, client-certificate: cert, client-key: /abs/key", "server: http://one"));
  EXPECT_EQ(endpoint.token, "");
  EXPECT_EQ(endpoint.tls->key, "");
  EXPECT_EQ(endpoint.certificate_file, "");
}

TEST(Kubeconfig, CompletesAndCleansTheAddress) {
  const std::vector<std::pair<std::string, std::string>> addresses = {
      {"https://host", "https://host"},
      {"HTTPS://host:6443///", "https://host:6443"},
      {"https://host/k8s/clusters/c-1/", "https://host/k8s/clusters/c-1"},
      {"https://host/prefix?a=b#c", "https://host/prefix"},
      {"https://[::1]:6443", "https://[::1]:6443"},
      {"[::1]:8080", "http://[::1]:8080"},
      {"localhost", "http://localhost"}};
  for (const auto& [written, read] : addresses)
    EXPECT_EQ(load(config("", "server: '" + written + "'")).server, read);
  for (const char* wrong : {"host/path", "https://::1/", "ftp://host", "https://", "https:///a",
                            "https://user:password@host", ":6443"}) {
    const std::string said = refusal(config("", std::string("server: '") + wrong + "'"));
    EXPECT_THAT(said, HasSubstr("server cannot be used")) << wrong;
    EXPECT_THAT(said, testing::Not(HasSubstr("password@"))) << wrong;
  }
}

TEST(Kubeconfig, OfTheWrongTypeIsRefusedWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"users: [{name: u, user: {token: 12345}}]", "1:33"},
      {"clusters: [{name: other, cluster: {server: [a]}}]", "1:44"},
      {"clusters: [{name: k, cluster: {insecure-skip-tls-verify: 'true'}}]", "1:58"},
      {"clusters: {k: {server: https://one}}", "1:11"},
      {"users: [{name: u, user: {as-groups: system:masters}}]", "1:37"},
      {"contexts: [{name: 5}]", "1:19"},
      {"kind: Pod", "1:7"},
      {"apiVersion: v2", "1:13"},
      {"users: [{name: u}, {name: u}]", "1:27"}};
  for (const auto& [text, place] : wrong) {
    try {
      load(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.place().to_string(), "/home/config:" + place) << error.full_text();
      EXPECT_THAT(error.full_text(), testing::Not(HasSubstr("12345")));
    }
  }
}

TEST(Kubeconfig, SecretsAreAllOfThem) {
  MemoryFiles files;
  files.content["/home/config"] = config(
      "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1, "
      "env: [{name: AWS_SECRET_ACCESS_KEY, value: hidden}, {name: REGION, value: eu}]}",
      "server: https://one, proxy-url: 'http://me:pass@proxy:80'");
  const auto secrets = secrets_of(files, load_kubeconfig(files, {"/home/config"}, ""));
  EXPECT_THAT(secrets, testing::IsSupersetOf({"hidden", "pass"}));
  EXPECT_THAT(secrets, testing::Not(testing::Contains("eu")));
}

TEST(Kubeconfig, SaysWhatIsMissing) {
  EXPECT_THAT(refusal(config(""), "cc"), HasSubstr("no context \"cc\" | did you mean 'c'?"));
  EXPECT_THAT(refusal("apiVersion: v1\n"), HasSubstr("no current-context"));
  EXPECT_THAT(refusal(""), HasSubstr("no current-context"));
  EXPECT_THAT(refusal(config("", "tls-server-name: x")), HasSubstr("names no server"));
  EXPECT_THAT(refusal(config("client-certificate: cert")), HasSubstr("only one of"));
  EXPECT_THAT(refusal(config("", "server: https://one, certificate-authority-data: '%%%'")),
              HasSubstr("no base64"));
  EXPECT_THAT(refusal("- a list\n"), HasSubstr("no mapping"));
  EXPECT_THAT(refusal("a: [\n"), HasSubstr("cannot read kubeconfig"));
  EXPECT_THAT(
      refusal(config(
          "",
          "server: https://one, certificate-authority-data: Q0E=, insecure-skip-tls-verify: true")),
      HasSubstr("remove one of them"));
  MemoryFiles none;
  EXPECT_THROW(load_kubeconfig(none, {"/nowhere"}, ""), Error);
}

TEST(Kubeconfig, NeverShowsASecretInAnError) {
  const std::string text = refusal(config("token: s3cret, as-uid: s3cret, password: s3cret"));
  EXPECT_THAT(text, testing::Not(HasSubstr("s3cret")));
}

TEST(BearerToken, FallsBackToTheTokenWhenItsFileIsGone) {
  MemoryFiles files;
  Endpoint endpoint;
  endpoint.token = "old";
  endpoint.token_file = "/t";
  EXPECT_EQ(bearer_token(files, endpoint), "old");
  files.content["/t"] = " new\n";
  EXPECT_EQ(bearer_token(files, endpoint), "new");
  files.content["/t"] = "\n";
  EXPECT_EQ(bearer_token(files, endpoint), "old");
  endpoint.token.clear();
  EXPECT_THROW(bearer_token(files, endpoint), Error);
}

}  // namespace
}  // namespace blackstart::kube
