// What requests are sent with, and that it stays fresh.
#include "orchestrator/kube/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/stages/bench.h"
#include "tests/unit/world/test_certificates.h"

namespace blackstart::kube {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

/// Answers each command with the next of `answers`, the last one for ever.
class PlayedPlugin final : public Processes {
 public:
  explicit PlayedPlugin(Clock& clock) : clock_(clock) {}
  Task<Exit> run(Command command) override {
    commands.push_back(std::move(command));
    if (hangs) co_await clock_.sleep_until(clock_.now() + std::chrono::hours(10));
    co_return answers[std::min(commands.size(), answers.size()) - 1];
  }
  Task<Daemon> start_daemon(Command, std::string) override {
    throw std::logic_error("no daemons here");
  }
  bool alive(const Daemon&) const override { return false; }
  std::optional<Daemon> find(int) const override { return std::nullopt; }
  Task<void> stop(Daemon, Duration) override { co_return; }
  void kill_all() override {}

  std::vector<Exit> answers;
  std::vector<Command> commands;
  bool hangs = false;

 private:
  Clock& clock_;
};

/// A client whose user is an exec plugin that is played.
class Credential : public testing::Test {
 protected:
  Credential() {
    endpoint.server = "https://api";
    endpoint.tls = std::make_shared<TlsIdentity>();
    endpoint.on_secret = [this](std::string_view secret) { told.emplace_back(secret); };
    scripted.answer("/version", {json_response(200, R"({"gitVersion":"v1.36.3"})")});
  }

  void use_plugin() {
    ExecPlugin plugin;
    plugin.command = "login";
    plugin.args = {"--profile", "p"};
    plugin.environment = {{"ONE", "1"}, {"PATH_OF", "x"}};
    plugin.api_version = kV1;
    plugin.install_hint = "get it from example.com";
    endpoint.exec = plugin;
  }

  static Exit answer_of(const std::string& status, const std::string& api_version = kV1) {
    Exit exit;
    exit.out = R"({"kind":"ExecCredential","apiVersion":")" + api_version + R"(","status":{)" +
               status + "}}";
    return exit;
  }
  static Exit token(const std::string& text, const std::string& more = "") {
    return answer_of("\"token\":\"" + text + "\"" + more);
  }

  Client& client() {
    if (!client_) client_ = std::make_unique<Client>(world_, endpoint);
    return *client_;
  }
  void ask() { scripted.result(client().server_version()); }
  Error failure() {
    try {
      ask();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorClass::kBug, "none");
  }
  std::vector<std::string> sent() const {
    std::vector<std::string> tokens;
    for (const HttpRequest& request : scripted.http.requests) {
      const auto found = request.headers.find("Authorization");
      tokens.push_back(found == request.headers.end() ? "" : found->second);
    }
    return tokens;
  }
  Task<void> sleep(Duration time) { co_await world_.clock.sleep_until(world_.clock.now() + time); }
  std::string in(Duration time) { return format_utc(world_.clock.wall_time() + time); }
  static std::string until(const std::string& time) {
    return ",\"expirationTimestamp\":\"" + time + "\"";
  }

  ScriptedWorld scripted;
  PlayedPlugin processes{scripted.world().clock};
  std::vector<Exit>& answers = processes.answers;
  std::vector<Command>& commands = processes.commands;
  stages::BenchEnvironment environment;
  Endpoint endpoint;
  std::vector<std::string> told;

 private:
  World world_{scripted.world().clock,
               scripted.world().random,
               processes,
               scripted.http,
               scripted.files,
               environment,
               scripted.world().blocking,
               scripted.world().executor};
  std::unique_ptr<Client> client_;
};

TEST_F(Credential, OfAPluginThatNeverExpires_IsAskedForOnce) {
  use_plugin();
  for (const char* never : {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    answers.push_back(token("t", until(never)));
    ask();
    ask();
  }
  EXPECT_EQ(commands.size(), 1u);
}

TEST_F(Credential, OfAPlugin_IsAskedForOnceAndToldToTheRedactor) {
  use_plugin();
  answers = {token("from-the-plugin")};
  ask();
  ask();
  EXPECT_THAT(sent(), ElementsAre("Bearer from-the-plugin", "Bearer from-the-plugin"));
  EXPECT_THAT(told, Contains("from-the-plugin"));
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].program, "/tools/login");
  EXPECT_THAT(commands[0].args, ElementsAre("--profile", "p"));
  EXPECT_FALSE(commands[0].input) << "stdin is closed";
  EXPECT_EQ(commands[0].environment.at("ONE"), "1");
  EXPECT_EQ(commands[0].environment.at("PATH"), "/tools") << "our own environment goes along";
  EXPECT_EQ(
      commands[0].environment.at("KUBERNETES_EXEC_INFO"),
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
}

TEST_F(Credential, OfAPluginThatWantsToKnowTheCluster_IsToldOfIt) {
  use_plugin();
  endpoint.exec->provide_cluster_info = true;
  endpoint.exec_config = boost::json::parse(R"({"audience":"a"})");
  TlsIdentity tls;
  tls.ca = "CA";
  tls.server_name = "name";
  tls.proxy = "http://proxy";
  endpoint.tls = std::make_shared<TlsIdentity>(tls);
  answers = {token("t")};
  ask();
  EXPECT_THAT(
      commands[0].environment.at("KUBERNETES_EXEC_INFO"),
      HasSubstr(
          R"("cluster":{"server":"https://api","tls-server-name":"name","certificate-authority-data":"Q0E=","proxy-url":"http://proxy","config":{"audience":"a"}})"));
}

Task<void> ask_together(World& world, Client& client, size_t count) {
  TaskGroup group(world.executor);
  auto one = [](Client& c) -> Task<void> { co_await c.server_version(); };
  for (size_t i = 0; i < count; ++i) group.spawn(one(client));
  co_await group.join();
}

TEST_F(Credential, OfAPlugin_IsSharedByRequestsThatWantItAtOnce) {
  use_plugin();
  answers = {token("t")};
  scripted.run(ask_together(scripted.world(), client(), 20));
  EXPECT_EQ(commands.size(), 1u);
  EXPECT_THAT(sent(), testing::AllOf(testing::SizeIs(20), testing::Each("Bearer t")));
}

TEST_F(Credential, OfAPlugin_IsAskedForAgainShortlyBeforeItExpires) {
  use_plugin();
  answers = {token("one", until(in(seconds(60)))), token("two", until(in(seconds(600))))};
  ask();
  scripted.run(sleep(seconds(49)));
  ask();
  scripted.run(sleep(seconds(2)));  // nine seconds are left
  ask();
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer one", "Bearer two"));
}

TEST_F(Credential, OfAPluginWithAnOffset_IsRead) {
  use_plugin();
  // 2026-01-01T01:00:00Z is when the virtual clock begins.
  answers = {token("one", until("2026-01-01T03:00:30.5+02:00")), token("two")};
  ask();
  scripted.run(sleep(seconds(15)));
  ask();
  scripted.run(sleep(seconds(10)));
  ask();
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer one", "Bearer two"));
}

TEST_F(Credential, OfAPluginThatHasExpiredAlready_IsSentAndNamedWhenItIsRefused) {
  use_plugin();
  answers = {token("old", until("2025-12-31T00:00:00Z"))};
  scripted.answer("/version", {status_response(401, "Unauthorized", "Unauthorized")});
  const Error error = failure();
  EXPECT_THAT(
      error.full_text(),
      HasSubstr("the exec plugin \"login\" gave the credentials, which expired at 2025-12-31"));
}

TEST_F(Credential, RefusedOnce_IsAskedForAgainAtOnce) {
  use_plugin();
  answers = {token("one"), token("two")};
  scripted.answer("/version", {status_response(401, "Unauthorized", "Unauthorized"),
                               json_response(200, R"({"gitVersion":"v1.36.3"})")});
  ask();
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer two"));
  EXPECT_EQ(scripted.elapsed(), Duration::zero());
}

TEST_F(Credential, RefusedForAWatch_IsAskedForAgainToo) {
  use_plugin();
  answers = {token("one"), token("two")};
  scripted.answer("/version",
                  {status_response(401, "Unauthorized", "Unauthorized"), json_response(200, "")});
  scripted.run(client().stream("/version", seconds(5), [](std::string_view) {}));
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer two"));
}

TEST_F(Credential, RefusedTwice_IsTheEnd) {
  use_plugin();
  answers = {token("one"), token("two"), token("three")};
  scripted.answer("/version", {status_response(401, "Unauthorized", "Unauthorized")});
  EXPECT_EQ(failure().error_class(), ErrorClass::kAuthentication);
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer two"));
  ASSERT_EQ(commands.size(), 2u);
}

TEST_F(Credential, OfAPluginWithACertificate_IsShown) {
  use_plugin();
  answers = {answer_of(R"("clientCertificateData":"CERT","clientKeyData":"KEY")")};
  ask();
  EXPECT_EQ(scripted.http.requests[0].tls->certificate, "CERT");
  EXPECT_EQ(scripted.http.requests[0].tls->key, "KEY");
  EXPECT_THAT(told, Contains("KEY"));
}

TEST_F(Credential, OfAPluginThatFails_SaysItsLastWordsOnStderr) {
  use_plugin();
  Exit exit;
  exit.code = 7;
  exit.out = "half-a-token";
  exit.err = "no session\nrun login first\n";
  answers = {exit};
  const Error error = failure();
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_EQ(error.full_text(),
            "no credentials from the exec plugin \"login\": it ended with exit code 7: no session: "
            "run login first");
  EXPECT_THAT(sent(), testing::IsEmpty());
}

TEST_F(Credential, OfAPluginThatSaysNothing_ShowsNothingOfItsOutput) {
  use_plugin();
  Exit exit;
  exit.code = 1;
  exit.out = "half-a-token";
  answers = {exit};
  EXPECT_THAT(failure().full_text(), Not(HasSubstr("half-a-token")));
}

TEST_F(Credential, OfAPluginThatIsMissing_GivesItsInstallHint) {
  use_plugin();
  environment.variables["PATH"] = "/usr/bin:relative";
  const Error error = failure();
  EXPECT_THAT(error.full_text(), HasSubstr("in none of the folders of PATH, /usr/bin:relative"));
  EXPECT_EQ(error.hint(), "get it from example.com");
}

TEST_F(Credential, OfAPluginThatHangs_EndsAfterAMinute) {
  use_plugin();
  processes.hangs = true;
  answers = {token("too late")};
  const Error error = failure();
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_THAT(error.full_text(), HasSubstr("gave no answer within 1m00s"));
  EXPECT_EQ(scripted.elapsed(), seconds(60));
}

TEST_F(Credential, OfAPluginThatAnswersWrongly_IsRefusedWithoutItsSecrets) {
  Exit endless = token("s3cret");
  endless.truncated = true;
  Exit nonsense;
  nonsense.out = "s3cret";
  const std::vector<std::pair<Exit, std::string>> wrong = {
      {nonsense, "no JSON"},
      {Exit{}, "no JSON"},
      {endless, "longer than"},
      {answer_of(R"("token":"s3cret")", "client.authentication.k8s.io/v1beta1"),
       "the kubeconfig says ExecCredential of \"client.authentication.k8s.io/v1\""},
      {answer_of(""), "neither a token nor a certificate"},
      {answer_of(R"("clientKeyData":"s3cret")"), "not both"},
      {token("s3cret", until("tomorrow")), "no time of RFC 3339: tomorrow"},
      {token("s3cret", until("2026-01-01T00:00:00")), "no time of RFC 3339"}};
  use_plugin();
  for (const auto& [exit, words] : wrong) {
    answers = {exit};
    commands.clear();
    const Error error = failure();
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_THAT(error.full_text(), HasSubstr(words));
    EXPECT_THAT(error.full_text() + error.hint(), Not(HasSubstr("s3cret")));
  }
}

TEST_F(Credential, OfAFileThatIsReplaced_IsTheNewOneAndToldToTheRedactor) {
  endpoint.token_file = "/token";
  scripted.files.content["/token"] = "one\n";
  ask();
  scripted.files.content["/token"] = "two\n";
  ask();
  scripted.files.content.erase("/token");
  ask();
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer two", "Bearer two"));
  EXPECT_THAT(told, ElementsAre("one", "two"));
}

TEST_F(Credential, RefusedWhileItsFileIsReplaced_IsTriedOnceMore) {
  endpoint.token_file = "/token";
  scripted.files.content["/token"] = "one\n";
  auto answers_of_server = scripted.http.handler;
  scripted.http.handler = [this, answers_of_server](HttpRequest request) -> Task<HttpResponse> {
    scripted.files.content["/token"] = "two\n";
    const bool old = request.headers["Authorization"] == "Bearer one";
    if (old) co_return status_response(401, "Unauthorized", "Unauthorized");
    co_return co_await answers_of_server(std::move(request));
  };
  ask();
  EXPECT_THAT(sent(), ElementsAre("Bearer one", "Bearer two"));
}

TEST_F(Credential, OfAFileThatStaysAsItIs_IsRefusedOnce) {
  endpoint.token_file = "/token";
  scripted.files.content["/token"] = "one\n";
  scripted.answer("/version", {status_response(401, "Unauthorized", "Unauthorized")});
  EXPECT_THAT(failure().full_text(), HasSubstr("the token is that of /token"));
  EXPECT_THAT(sent(), ElementsAre("Bearer one"));
}

class CertificateFiles : public Credential {
 protected:
  CertificateFiles() {
    endpoint.certificate_file = "/pki/crt";
    endpoint.key_file = "/pki/key";
    write(first_, first_);
    TlsIdentity tls;
    tls.ca = ca_.certificate;
    tls.certificate = first_.certificate;
    tls.key = first_.key;
    endpoint.tls = std::make_shared<TlsIdentity>(tls);
  }
  void write(const test::Certificate& certificate, const test::Certificate& key) {
    scripted.files.content["/pki/crt"] = certificate.certificate;
    scripted.files.content["/pki/key"] = key.key;
  }
  const TlsIdentity& shown() const { return *scripted.http.requests.back().tls; }

  test::Certificate ca_ = test::make_ca("ca");
  test::Certificate first_ = test::make_leaf(ca_);
  test::Certificate second_ = test::make_leaf(ca_);
};

TEST_F(CertificateFiles, ThatStayAsTheyAre_KeepTheirConnections) {
  ask();
  scripted.run(sleep(seconds(5)));
  ask();
  EXPECT_EQ(scripted.http.requests[0].tls, scripted.http.requests[1].tls);
}

TEST_F(CertificateFiles, ThatWereReplaced_AreShownOnNewConnections) {
  ask();
  write(second_, second_);
  scripted.run(sleep(seconds(1)));
  ask();
  EXPECT_EQ(shown().certificate, second_.certificate);
  EXPECT_EQ(shown().key, second_.key);
  EXPECT_EQ(shown().ca, ca_.certificate);
  EXPECT_THAT(told, Contains(second_.key));
}

TEST_F(CertificateFiles, OfWhichOneWasReplaced_AreLeftAloneUntilTheyMatch) {
  ask();
  write(second_, first_);
  scripted.run(sleep(seconds(1)));
  ask();
  EXPECT_EQ(shown().certificate, first_.certificate);
  write(second_, second_);
  scripted.run(sleep(seconds(1)));
  ask();
  EXPECT_EQ(shown().certificate, second_.certificate);
}

TEST_F(CertificateFiles, OfACertificateThatIsNotValidNow_AreNamedWhenItIsRefused) {
  TlsIdentity tls;
  test::Leaf of_the_future;
  of_the_future.not_before = std::chrono::hours(24 * 3650);
  of_the_future.not_after = std::chrono::hours(24 * 3660);
  const test::Certificate made = test::make_leaf(ca_, of_the_future);
  tls.certificate = made.certificate;
  tls.key = made.key;
  endpoint.tls = std::make_shared<TlsIdentity>(tls);
  write(made, made);
  scripted.answer("/version", {status_response(401, "Unauthorized", "Unauthorized")});
  EXPECT_THAT(failure().full_text(),
              HasSubstr("the client certificate /pki/crt was shown, which is valid from 20"));
}

using Header = std::pair<std::string, std::string>;

TEST_F(Credential, OfAnImpersonator_IsSentWithWhomItActsFor) {
  endpoint.token = "t";
  endpoint.as.user = "jane";
  endpoint.as.uid = "7";
  endpoint.as.groups = {"a", "b"};
  endpoint.as.extra = {{"example.com/s p", {"x", "y"}}};
  ask();
  EXPECT_THAT(scripted.http.requests[0].repeated_headers,
              ElementsAre(Header("Impersonate-User", "jane"), Header("Impersonate-Uid", "7"),
                          Header("Impersonate-Group", "a"), Header("Impersonate-Group", "b"),
                          Header("Impersonate-Extra-example.com%2Fs%20p", "x"),
                          Header("Impersonate-Extra-example.com%2Fs%20p", "y")));
}

TEST_F(Credential, OfAClusterWithoutCompression_AsksForPlainAnswers) {
  ask();
  EXPECT_FALSE(scripted.http.requests[0].headers.contains("Accept-Encoding"));
  endpoint.disable_compression = true;
  Client plain(scripted.world(), endpoint);
  scripted.result(plain.server_version());
  EXPECT_EQ(scripted.http.requests[1].headers.at("Accept-Encoding"), "identity");
}

}  // namespace
}  // namespace blackstart::kube
