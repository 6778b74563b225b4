// Our reading of kubeconfigs beside kubectl's: what one refuses the other refuses, and what both
// take leads to the same server with the same credentials.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <mutex>
#include <regex>
#include <set>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/client.h"
#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/world/real.h"
#include "tests/integration/support/program.h"
#include "tests/unit/world/test_certificates.h"
#include "tests/unit/world/test_server.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;
using kube::text_at;

struct Case {
  const char* name;
  std::vector<std::string> files;       // by their order in KUBECONFIG; "-" = one that is missing
  const char* we_refuse_for = nullptr;  // what kubectl takes and we do not, and why
};

const std::string kHead =
    "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n";
const std::string kToken = "users: [{name: u, user: {token: t}}]\n";
const std::string kCluster = "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}]\n";
const std::string kWhole = kHead + kCluster + kToken;

std::string cluster_with(const std::string& cluster) {
  return kHead + kToken + "clusters: [{name: k, cluster: {" + cluster + "}}]\n";
}
std::string trusting(const std::string& more) {
  return cluster_with("server: 'https://127.0.0.1:1', " + more);
}
std::string at(const std::string& address) { return cluster_with("server: '" + address + "'"); }
std::string user_with(const std::string& user) {
  return kHead + kCluster + "users: [{name: u, user: {" + user + "}}]\n";
}
std::string plugin_with(const std::string& exec) { return user_with("exec: {" + exec + "}"); }

const std::string kV1 = "apiVersion: client.authentication.k8s.io/v1";
const std::string kBeta = "apiVersion: client.authentication.k8s.io/v1beta1";

// $CA, $CERT, $KEY stand for PEM in base64; ca.crt, client.crt, client.key and token lie beside
// each file.
std::vector<Case> whole_files() {
  return {
      {"whole", {kWhole}},
      {"with apiVersion and kind", {"apiVersion: v1\nkind: Config\n" + kWhole}},
      {"as JSON",
       {R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],)"
        R"("clusters":[{"name":"k","cluster":{"server":"https://127.0.0.1:1"}}],)"
        R"("users":[{"name":"u","user":{"token":"t"}}]})"}},
      {"empty", {""}},
      {"a comment", {"# nothing\n"}},
      {"missing", {"-"}},
      {"a list", {"- a\n"}},
      {"a text", {"a\n"}},
      {"no YAML", {"a: [\n"}},
      {"of another kind", {"apiVersion: v1\nkind: Pod\n" + kWhole}},
      {"of another version", {"apiVersion: v2\n" + kWhole}},
      {"preferences and extensions",
       {"preferences: {colors: true}\nextensions: [{name: a, extension: {x: 1}}]\n" + kWhole}},
      {"unknown keys", {"colour: red\n" + kWhole}},
      {"a second document", {kWhole + "---\ncurrent-context: other\n"}},
      {"without current-context", {kCluster + kToken}},
      {"of a context that is not there", {"current-context: other\n" + kCluster + kToken}},
      {"of a cluster that is not there", {kHead + kToken}},
      {"of a user that is not there", {kHead + kCluster}},
      {"of a context without cluster",
       {kToken + "current-context: c\ncontexts: [{name: c, context: {user: u}}]\n"}},
      {"two clusters of a name",
       {kHead + kToken + "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}, " +
        "{name: k, cluster: {server: 'https://127.0.0.1:2'}}]\n"}},
      {"two users of a name",
       {kHead + kCluster + "users: [{name: u, user: {token: a}}, {name: u, user: {token: b}}]\n"}},
      {"two contexts of a name",
       {"current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}, {name: c}]\n" +
        kCluster + kToken}},
      {"an item without a name",
       {kHead + kToken +
        "clusters: [{cluster: {}}, {name: k, cluster: " + "{server: 'https://127.0.0.1:1'}}]\n"}},
      {"null lists", {"clusters:\nusers: ~\ncontexts: null\ncurrent-context:\n"}},
      {"a mapping in place of a list", {"clusters: {a: b}\n"}},
      {"a number as current-context", {"current-context: 5\n" + kCluster + kToken}},
      {"a number elsewhere", {kWhole + "preferences: {}\n", "users: [{name: 1}]\n"}},
      {"a key twice",
       {"current-context: other\n" + kWhole},
       "a key that stands twice is refused in all YAML that we read; kubectl takes the last"},
      {"a broken second document",
       {kWhole + "---\nnonsense: [\n"},
       "kubectl reads no further than the first document"},
  };
}

std::vector<Case> pairs() {
  const std::string other = "https://127.0.0.1:2";
  return {
      {"the first to define a cluster wins",
       {"clusters: [{name: k, cluster: {server: '" + other + "'}}]\n", kWhole}},
      {"and is not completed by the second",
       {"users: [{name: u, user: {as: jane, token: first}}]\n", kWhole}},
      {"the first to name a current context wins",
       {"current-context: d\ncontexts: [{name: d, context: {cluster: k, user: v}}]\nusers: [{name: "
        "v, user: {token: v}}]\n",
        kWhole}},
      {"the second gives the current context", {kToken, kHead + kCluster}},
      {"an empty current-context gives way", {"current-context: ''\n" + kToken, kWhole}},
      {"spread over three files", {kToken, kCluster, kHead}},
      {"a missing file between", {kToken, "-", kHead + kCluster}},
      {"an empty file first", {"", kWhole}},
      {"a broken file last", {kWhole, "a: [\n"}},
      {"relative paths start from their own file",
       {"users: [{name: u, user: {client-certificate: ./client.crt, client-key: client.key}}]\n",
        trusting("certificate-authority: ../1/ca.crt")}},
  };
}

std::vector<Case> clusters() {
  return {
      {"with a port", {at("https://127.0.0.1:1/")}},
      {"with a path", {at("https://127.0.0.1:1/k8s/clusters/c-1")}},
      {"with a path and a slash", {at("https://127.0.0.1:1/k8s/clusters/c-1/")}},
      {"with a path and a query", {at("https://127.0.0.1:1/prefix?a=b#c")}},
      {"without scheme", {at("127.0.0.1:1")}},
      {"without scheme, with a CA",
       {cluster_with("server: '127.0.0.1:1', "
                     "certificate-authority-data: $CA")}},
      {"without scheme, with a path", {at("127.0.0.1:1/prefix")}},
      {"without TLS", {at("http://127.0.0.1:1")}},
      {"in capitals", {at("HTTPS://127.0.0.1:1")}},
      {"IPv6", {at("https://[::1]:1")}},
      {"IPv6 without scheme", {at("[::1]:1")}},
      {"IPv6 without brackets", {at("https://::1/")}},
      {"of another scheme", {at("ftp://127.0.0.1:1")}},
      {"with a password",
       {at("https://a:b@127.0.0.1:1")},
       "API servers take no password, and addresses are shown"},
      {"empty", {at("")}},
      {"no server", {cluster_with("tls-server-name: a")}},
      {"no cluster", {kHead + kToken + "clusters: [{name: k}]\n"}},
      {"server in another spelling", {cluster_with("Server: 'https://127.0.0.1:1'")}},
      {"a number as server", {cluster_with("server: 1")}},
      {"tls-server-name", {trusting("tls-server-name: api.example.com")}},
      {"insecure", {trusting("insecure-skip-tls-verify: true")}},
      {"insecure in quotes", {trusting("insecure-skip-tls-verify: 'true'")}},
      {"insecure as yes", {trusting("insecure-skip-tls-verify: yes")}},
      {"insecure with a CA",
       {trusting("insecure-skip-tls-verify: true, certificate-authority-data: $CA")}},
      {"disable-compression", {trusting("disable-compression: true")}},
      {"CA as data", {trusting("certificate-authority-data: $CA")}},
      {"CA as a file", {trusting("certificate-authority: ca.crt")}},
      {"CA as both", {trusting("certificate-authority: ca.crt, certificate-authority-data: $CA")}},
      {"CA as a file that is missing", {trusting("certificate-authority: nowhere")}},
      {"CA that is no base64", {trusting("certificate-authority-data: '%%'")}},
      {"proxy", {trusting("proxy-url: 'http://127.0.0.1:1'")}},
      {"SOCKS proxy", {trusting("proxy-url: 'socks5://127.0.0.1:1'")}},
      {"proxy of another scheme", {trusting("proxy-url: 'ftp://127.0.0.1:1'")}},
      {"proxy without scheme", {trusting("proxy-url: 'proxy:3128'")}},
  };
}

std::vector<Case> users() {
  return {
      {"token", {user_with("token: t")}},
      {"a number as token", {user_with("token: 12345")}},
      {"token file", {user_with("tokenFile: token")}},
      {"token file that is missing", {user_with("tokenFile: nowhere")}},
      {"token and a token file", {user_with("token: t, tokenFile: token")}},
      {"token and a token file that is missing", {user_with("token: t, tokenFile: nowhere")}},
      {"certificate as data", {user_with("client-certificate-data: $CERT, client-key-data: $KEY")}},
      {"certificate as files",
       {user_with("client-certificate: client.crt, client-key: client.key")}},
      {"certificate as data, key as a file",
       {user_with("client-certificate-data: $CERT, client-key: client.key")}},
      {"certificate as both",
       {user_with("client-certificate: client.crt, client-certificate-data: $CERT, "
                  "client-key: client.key")}},
      {"key as both",
       {user_with(
           "client-certificate: client.crt, client-key-data: $KEY, client-key: client.key")}},
      {"certificate without a key", {user_with("client-certificate: client.crt")}},
      {"key that is missing", {user_with("client-certificate: client.crt, client-key: nowhere")}},
      {"basic authentication",
       {user_with("username: a, password: b")},
       "API servers no longer take it"},
      {"token and basic authentication", {user_with("token: t, username: a, password: b")}},
      {"auth-provider", {user_with("auth-provider: {name: gcp}")}},
      {"as",
       {user_with("token: t, as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: "
                  "{scope: [x, z]}")}},
      {"groups of nobody", {user_with("token: t, as-groups: [a]")}},
      {"groups that are no list", {user_with("token: t, as: jane, as-groups: a")}},
      {"plugin",
       {plugin_with("command: /bin/false, args: [a], " + kV1 + ", interactiveMode: Never")}},
      {"plugin, IfAvailable",
       {plugin_with("command: /bin/false, " + kV1 + ", interactiveMode: IfAvailable")}},
      {"plugin, Always",
       {plugin_with("command: /bin/false, " + kV1 + ", interactiveMode: Always")}},
      {"plugin without mode", {plugin_with("command: /bin/false, " + kV1)}},
      {"plugin of v1beta1 without mode", {plugin_with("command: /bin/false, " + kBeta)}},
      {"plugin of v1alpha1",
       {plugin_with("command: /bin/false, apiVersion: client.authentication.k8s.io/v1alpha1")}},
      {"plugin without version", {plugin_with("command: /bin/false, interactiveMode: Never")}},
      {"plugin without command", {plugin_with(kV1 + ", interactiveMode: Never")}},
      {"plugin with a variable without a name",
       {plugin_with("command: /bin/false, " + kBeta + ", env: [{value: x}]")}},
      {"plugin and a token", {user_with("token: t, exec: {command: /bin/false, " + kBeta + "}")}},
      {"plugin and an auth-provider",
       {user_with("auth-provider: {name: oidc}, exec: {command: /bin/false, " + kBeta + "}")}},
  };
}

/// What kubectl makes of it: where it asks, and the flattened entries of cluster and user.
struct Judgement {
  bool taken = false;
  std::string words;
  std::string url;  // empty only where it asked for a name before it tried
  json::value config;
};

class Likeness : public testing::Test {
 protected:
  void SetUp() override { NEEDS_PART("kubectl"); }

  static void replace(std::string& text, const std::string& name, const std::string& value) {
    for (size_t at; (at = text.find(name)) != std::string::npos;)
      text.replace(at, name.size(), value);
  }

  std::vector<std::string> write(const TemporaryFolder& folder, const Case& one) const {
    std::vector<std::string> paths;
    for (size_t i = 0; i < one.files.size(); ++i) {
      const std::string below = std::to_string(i) + "/";
      std::string text = one.files[i];
      replace(text, "$CA", base64_encode(ca_.certificate));
      replace(text, "$CERT", base64_encode(client_.certificate));
      replace(text, "$KEY", base64_encode(client_.key));
      folder.write(below + "ca.crt", ca_.certificate);
      folder.write(below + "client.crt", client_.certificate);
      folder.write(below + "client.key", client_.key);
      folder.write(below + "token", "token-of-file-" + std::to_string(i) + "\n");
      paths.push_back(folder.path() + "/" + below + "config");
      if (text != "-") folder.write(below + "config", text);
    }
    return paths;
  }

  static Ran kubectl(const std::vector<std::string>& paths, std::vector<std::string> args) {
    Invocation invocation;
    invocation.argv = {part("kubectl")};
    invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
    invocation.environment = {{"KUBECONFIG", join(paths, ":")}, {"HOME", "/nonexistent"}};
    return run(invocation);
  }

  static Judgement kubectls(const std::vector<std::string>& paths) {
    const Ran view =
        kubectl(paths, {"config", "view", "--raw", "--minify", "--flatten", "-o", "json"});
    const Ran asked = kubectl(paths, {"get", "--raw", "/x", "--request-timeout=5s", "-v=6"});
    Judgement judgement;
    judgement.words = view.code == 0 ? asked.err : view.err;
    // Nobody listens: kubectl has taken the file when it has tried. Without credentials it asks for
    // a name, and without a server of the file's own it tries localhost:8080.
    const bool tried =
        asked.err.find("connection refused") != std::string::npos ||
        asked.err.find("getting credentials: exec: executable") != std::string::npos ||
        asked.err.find("Please enter Username") != std::string::npos;
    judgement.taken =
        view.code == 0 && tried && asked.err.find("localhost:8080") == std::string::npos;
    if (view.code == 0) judgement.config = json::parse(view.out);
    std::smatch match;
    static const std::regex kUrl("(?:url=|Get )\"([^\"?]*)");
    if (std::regex_search(asked.err, match, kUrl)) judgement.url = match[1];
    return judgement;
  }

  static json::value only(const Judgement& judgement, const char* list, const char* inner) {
    const json::array& entries = kube::list_at(judgement.config, {list});
    return entries.empty() ? json::value() : entries[0].at(inner);
  }

  /// Compares what both have taken. A server without TLS is shown no credentials by either.
  static void compare(const Judgement& judgement, const kube::Endpoint& endpoint) {
    if (judgement.words.find("Please enter Username") == std::string::npos) {
      EXPECT_EQ(endpoint.server + "/x", judgement.url) << judgement.words;
    }
    const json::value cluster = only(judgement, "clusters", "cluster");
    EXPECT_EQ(base64_encode(endpoint.tls->ca), text_at(cluster, {"certificate-authority-data"}));
    EXPECT_EQ(endpoint.tls->server_name, text_at(cluster, {"tls-server-name"}));
    EXPECT_EQ(endpoint.tls->proxy, text_at(cluster, {"proxy-url"}));
    EXPECT_EQ(endpoint.tls->insecure, kube::find(cluster, {"insecure-skip-tls-verify"}) != nullptr);
    EXPECT_EQ(endpoint.disable_compression,
              kube::find(cluster, {"disable-compression"}) != nullptr);
    if (endpoint.server.starts_with("http:")) return;
    const json::value user = only(judgement, "users", "user");
    EXPECT_EQ(endpoint.token, text_at(user, {"token"}));
    EXPECT_TRUE(endpoint.token_file.ends_with(text_at(user, {"tokenFile"})));
    EXPECT_EQ(endpoint.token_file.empty(), text_at(user, {"tokenFile"}).empty());
    EXPECT_EQ(base64_encode(endpoint.tls->certificate), text_at(user, {"client-certificate-data"}));
    EXPECT_EQ(base64_encode(endpoint.tls->key), text_at(user, {"client-key-data"}));
    EXPECT_EQ(endpoint.as.user, text_at(user, {"as"}));
    EXPECT_EQ(endpoint.as.uid, text_at(user, {"as-uid"}));
    EXPECT_EQ(endpoint.as.groups.size(), kube::list_at(user, {"as-groups"}).size());
    if (endpoint.exec) {
      EXPECT_EQ(endpoint.exec->command, text_at(user, {"exec", "command"}));
    }
  }

  void judge(const Case& one) {
    SCOPED_TRACE(one.name);
    TemporaryFolder folder;
    const std::vector<std::string> paths = write(folder, one);
    const Judgement judgement = kubectls(paths);
    EXPECT_TRUE(judgement.taken || !one.we_refuse_for) << "kubectl refuses too: no difference";
    const bool refuse = !judgement.taken || one.we_refuse_for;
    try {
      const kube::Endpoint endpoint = kube::load_kubeconfig(world_.world().files, paths, "");
      if (refuse)
        ADD_FAILURE() << "taken by us, refused by kubectl: " << judgement.words;
      else
        compare(judgement, endpoint);
    } catch (const Error& error) {
      EXPECT_TRUE(refuse) << "refused by us: " << error.full_text()
                          << "\ntaken by kubectl: " << judgement.words;
    }
  }

  void judge(const std::vector<Case>& all) {
    for (const Case& one : all) judge(one);
  }

  RealWorld world_;
  Certificate ca_ = make_ca("ca");
  Certificate client_ = make_leaf(ca_);
};

TEST_F(Likeness, WholeFiles) { judge(whole_files()); }
TEST_F(Likeness, SeveralFiles) { judge(pairs()); }
TEST_F(Likeness, Clusters) { judge(clusters()); }
TEST_F(Likeness, Users) { judge(users()); }

/// What tells the server who asks, as it arrives on the wire; names in lower case, as they mean the
/// same in any.
std::multiset<std::string> proof_in(const std::string& request) {
  std::multiset<std::string> proof;
  for (const std::string& line : split(request, '\n')) {
    const bool tells = line.starts_with("Authorization:") || line.starts_with("Impersonate-");
    if (!tells) continue;
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return tolower(c); });
    proof.insert(name + std::string(trim(line.substr(colon))));
  }
  return proof;
}

TEST_F(Likeness, OnTheWire) {
  std::mutex mutex;
  std::string seen;
  TestServer server(
      [&](Connection& connection) {
        const std::string request = connection.read_request();
        std::lock_guard lock(mutex);
        seen = request;
        connection.send(response("{}", "Content-Type: application/json\r\n"));
      },
      TestServer::Tls{make_leaf(ca_), ""});
  const std::string answer =
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'"$1-$KIND"'"}})";
  const std::vector<Case> all = {
      {"token", {user_with("token: t")}},
      {"token file", {user_with("tokenFile: token")}},
      {"token and token file", {user_with("token: t, tokenFile: token")}},
      {"token and a file that is missing", {user_with("token: t, tokenFile: nowhere")}},
      {"as",
       {user_with("token: t, as: jane, as-uid: '7', as-groups: [a, 'b c'], as-user-extra: "
                  "{example.com/scope: [x, w], 'ä%': [z]}")}},
      {"plugin",
       {plugin_with("command: ./login, args: [one], env: [{name: KIND, value: two}], " + kV1 +
                    ", interactiveMode: Never")}},
      {"plugin and a token",
       {user_with("token: t, exec: {command: ./login, " + kV1 + ", interactiveMode: Never}")}},
  };
  for (Case one : all) {
    SCOPED_TRACE(one.name);
    replace(one.files[0], "server: 'https://127.0.0.1:1'",
            "certificate-authority-data: $CA, server: '" + server.url("") + "'");
    TemporaryFolder folder;
    const std::vector<std::string> paths = write(folder, one);
    chmod(folder.write("0/login", "#!/bin/sh\necho '" + answer + "'\n").c_str(), 0700);
    const Ran ran = kubectl(paths, {"get", "--raw", "/x"});
    EXPECT_EQ(ran.code, 0) << ran.all();
    const auto kubectls_proof = proof_in(seen);
    kube::Client client(world_.world(), kube::load_kubeconfig(world_.world().files, paths, ""));
    auto ask = [](kube::Client& c) -> Task<void> { co_await c.get_path("/x"); };
    world_.run(ask(client), [](int, int) {});
    EXPECT_EQ(proof_in(seen), kubectls_proof);
    EXPECT_FALSE(kubectls_proof.empty());
  }
}

}  // namespace
}  // namespace blackstart::test
