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

TEST(Kubeconfig, TakesDataBeforeFiles) {
  const Endpoint endpoint =
      load(config("",
                  "server: https://one, certificate-authority: missing, "
                  "certificate-authority-data: TkVX, tls-server-name: n, proxy-url: http://p"));
  EXPECT_EQ(endpoint.tls->ca, "NEW");
  EXPECT_EQ(endpoint.tls->server_name, "n");
  EXPECT_EQ(endpoint.tls->proxy, "http://p");
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
            "https://one:80");
}

TEST(Kubeconfig, RefusesByNameWhatItCannotDo) {
  EXPECT_THAT(refusal(config("exec: {command: aws}")), HasSubstr("exec credential plugin \"aws\""));
  EXPECT_THAT(refusal(config("exec: {command: aws}")), HasSubstr("token"));
  EXPECT_THAT(refusal(config("auth-provider: {name: gcp}")), HasSubstr("auth-provider"));
  EXPECT_THAT(refusal(config("username: a, password: b")), HasSubstr("basic authentication"));
  EXPECT_THAT(refusal(config("as: admin")), HasSubstr("impersonation"));
  const std::string encrypted = base64_encode("-----BEGIN ENCRYPTED PRIVATE KEY-----");
  EXPECT_THAT(refusal(config("client-certificate: cert, client-key-data: " + encrypted)),
              HasSubstr("encrypted"));
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
  const std::string text = refusal(config("token: s3cret, exec: {command: x}, password: s3cret"));
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
}

}  // namespace
}  // namespace blackstart::kube
