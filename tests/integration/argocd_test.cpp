// argocd.wait and argocd.app against the real Argo CD: what does not get well, with the words of
// `apply`.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

constexpr const char* kConfigMap =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}, data: {k: v}}\n";

std::string with(std::string text, const std::string& word, const std::string& value) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at))
    text.replace(at, word.size(), value);
  return text;
}

std::string config_map(const std::string& name) { return with(kConfigMap, "NAME", name); }

/// Answers everything with 401, as a Git server does to who may not read.
class NobodyMayRead {
 public:
  NobodyMayRead() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port to listen on");
    port_ = ntohs(address.sin_port);
    answers_ = std::thread([this] { answer(); });
  }
  ~NobodyMayRead() {
    shutdown(listener_, SHUT_RDWR);
    answers_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/lab.git"; }

 private:
  void answer() {
    for (int peer; (peer = accept(listener_, nullptr, nullptr)) >= 0; close(peer)) {
      char request[4096];
      constexpr std::string_view kAnswer =
          "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n"
          "Content-Length: 0\r\nConnection: close\r\n\r\n";
      if (recv(peer, request, sizeof request, 0) > 0)
        send(peer, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    }
  }
  int listener_ = -1;
  int port_ = 0;
  std::thread answers_;
};

/// What an Application is made of; the path in the repository is its name.
struct App {
  std::string name;
  std::string policy = "{automated: {prune: true, selfHeal: true}, OPTIONS}";
  std::string url = {};
};

/// One cluster with Argo CD and one Git repository for all tests of this file.
class ArgoCd : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* tool : {"kwokctl", "helm", "argocd", "kustomize", "redis-server"})
      if (access(part(tool).c_str(), X_OK) != 0) return;
    lab_ = std::make_unique<Rehearsal>();
    lab_->init();
    Ran applied = lab_->blackstart({"apply"});
    if (applied.code != 0) failure_ = applied.all();
  }
  static void TearDownTestSuite() { lab_.reset(); }
  void SetUp() override {
    if (!lab_) GTEST_SKIP() << "NOT RUN: the tools are not there; scripts/parts/build makes them";
    ASSERT_EQ(failure_, "");
  }

  static void write(const std::string& name, const std::string& text) { lab_->write(name, text); }
  static void commit() {
    lab_->git({"add", "-A"});
    ASSERT_EQ(lab_->git({"commit", "-qm", "a change"}).code, 0);
  }
  /// Has kubectl put it into the cluster.
  static void create(const std::string& text) {
    write("object.yaml", text);
    Ran ran = lab_->kubectl({"apply", "-f", lab_->folder() + "/object.yaml"});
    ASSERT_EQ(ran.code, 0) << ran.all();
  }
  static void create(const App& app) {
    std::string url = app.url.empty() ? "file://" + lab_->folder() : app.url;
    create("{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: " + app.name +
           ", namespace: argocd}, spec: {project: default, source: {repoURL: \"" + url +
           "\", path: " + app.name +
           ", targetRevision: main}, destination: {server: "
           "\"https://kubernetes.default.svc\", namespace: " +
           app.name + "}, syncPolicy: " +
           with(app.policy, "OPTIONS", "syncOptions: [CreateNamespace=true]") + "}}\n");
  }
  /// `apply` of a plan that does nothing but wait.
  static Ran wait_for(const std::string& apps, const std::string& more = "",
                      const std::string& timeout = "60s") {
    Rehearsal waiting;
    waiting.write("plan.yaml",
                  "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: waiting}\n"
                  "spec:\n  cluster: {kubeconfig: " +
                      lab_->kubeconfig() +
                      "}\n  stages:\n"
                      "    - {name: wait, uses: argocd.wait, timeout: " +
                      timeout + ", with: {apps: " + apps + ", grace: 4s" + more + "}}\n");
    return waiting.blackstart({"apply"});
  }
  static std::string status_of(const std::string& app, const std::string& path) {
    return lab_
        ->kubectl(
            {"-n", "argocd", "get", "application", app, "-o", "jsonpath={.status." + path + "}"})
        .out;
  }
  static void expect(const Ran& ran, int code, std::initializer_list<std::string> words) {
    EXPECT_EQ(ran.code, code) << ran.all();
    for (const std::string& word : words)
      EXPECT_NE(ran.err.find(word), std::string::npos) << word << "\n" << ran.err;
  }

  static std::unique_ptr<Rehearsal> lab_;
  static std::string failure_;
};
std::unique_ptr<Rehearsal> ArgoCd::lab_;
std::string ArgoCd::failure_;

TEST_F(ArgoCd, SyncedByHandOnly_IsSaid_Accepted_OrSynced) {
  write("manual/a.yaml", config_map("a"));
  commit();
  create(App{.name = "manual", .policy = "{OPTIONS}"});
  expect(wait_for("[manual]"), 1,
         {"Application manual: OutOfSync, Missing: ConfigMap manual/a (it has no automated sync"});
  expect(wait_for("[manual]", ", outOfSync: wait", "6s"), 6, {"it has no automated sync"});
  expect(wait_for("[manual]", ", outOfSync: accept"), 0, {"accepted: manual: OutOfSync, Missing"});
  expect(wait_for("[manual]", ", outOfSync: sync"), 0, {"have Argo CD sync Application manual"});
  EXPECT_EQ(status_of("manual", "sync.status"), "Synced");
}

TEST_F(ArgoCd, DriftWithoutSelfHeal_IsReportedAndLeft) {
  write("drift/a.yaml", config_map("a"));
  commit();
  create(App{.name = "drift", .policy = "{automated: {}, OPTIONS}"});
  expect(wait_for("[drift]"), 0, {});
  ASSERT_EQ(
      lab_->kubectl({"-n", "drift", "patch", "configmap", "a", "-p", R"({"data":{"k":"changed"}})"})
          .code,
      0);
  ASSERT_TRUE(eventually([] { return status_of("drift", "sync.status") == "OutOfSync"; },
                         std::chrono::seconds(30)));
  expect(wait_for("[drift]"), 1, {"ConfigMap drift/a (selfHeal is off: this drift stays)"});
  EXPECT_EQ(lab_->get("configmap a -n drift").at("data").at("k").as_string(), "changed");
}

constexpr const char* kDeployment =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {paused: PAUSED, "
    "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {nodeSelector: "
    "{NODE}, containers: [{name: c, image: nginx}]}}}}\n";

TEST_F(ArgoCd, WhatIsSuspended_IsNamed_AndMayBeAccepted) {
  write("paused/web.yaml", with(with(kDeployment, "PAUSED", "true"), "NODE", ""));
  commit();
  create(App{.name = "paused"});
  expect(wait_for("[paused]"), 1, {"Suspended", "Deployment paused/web is paused (spec.paused)"});
  expect(wait_for("[paused]", ", suspended: accept"), 0, {"accepted: paused: Synced, Suspended"});
}

TEST_F(ArgoCd, AWaveThatIsHeldBack_NamesWhatHoldsWhat_DownToThePod) {
  write("waves/web.yaml", with(with(kDeployment, "PAUSED", "false"), "NODE", "no: where"));
  write("waves/later.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: later, annotations: "
        "{argocd.argoproj.io/sync-wave: \"1\"}}}\n");
  commit();
  create(App{.name = "waves"});
  expect(
      wait_for("[waves]", "", "15s"), 6,
      {"wave 0 waits for Deployment waves/web to be healthy; it holds back ConfigMap waves/later "
       "(wave 1)",
       "didn't match Pod's node affinity/selector"});
}

TEST_F(ArgoCd, AHookThatFails_IsNamedWithItsJob) {
  write("hook/migrate.yaml",
        "{apiVersion: batch/v1, kind: Job, metadata: {name: migrate, annotations: "
        "{argocd.argoproj.io/hook: PreSync}}, spec: {backoffLimit: 0, activeDeadlineSeconds: 2, "
        "template: {spec: {nodeSelector: {no: where}, restartPolicy: Never, containers: [{name: c, "
        "image: nginx}]}}}}\n");
  write("hook/a.yaml", config_map("a"));  // of hooks alone Argo CD thinks that they are synced
  commit();
  create(App{.name = "hook", .policy = "{automated: {}, retry: {limit: 0}, OPTIONS}"});
  expect(wait_for("[hook]"), 1,
         {"its last sync failed: 1 of 2 resources failed: PreSync hook Job hook/migrate: Job was "
          "active longer than specified deadline",
          "event of Job hook/migrate: DeadlineExceeded"});
}

constexpr const char* kBadService =
    "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, selector: "
    "{a: b}, ports: [{port: 80, nodePort: 80}]}}\n";

TEST_F(ArgoCd, ASyncThatFailsOnOneOfForty_NamesTheOne) {
  for (int i = 1; i < 39; ++i)  // beside them there are the Service and the Namespace
    write("forty/" + std::to_string(i) + ".yaml", config_map("cm" + std::to_string(i)));
  write("forty/web.yaml", kBadService);
  commit();
  create(App{.name = "forty", .policy = "{automated: {}, retry: {limit: 0}, OPTIONS}"});
  expect(wait_for("[forty]"), 1,
         {"1 of 40 resources failed: Service forty/web: Service \"web\" is invalid: "
          "spec.ports[0].nodePort: Invalid value: 80"});
}

TEST_F(ArgoCd, AnOperationPinnedToAnOldRevision_IsNamed_AndEndedWithConsent) {
  write("pinned/web.yaml", kBadService);
  write("pinned/a.yaml", config_map("a"));
  commit();
  create(App{.name = "pinned",
             .policy = "{automated: {}, retry: {limit: -1, backoff: {duration: 1s, maxDuration: "
                       "2s}}, OPTIONS}"});
  ASSERT_TRUE(eventually([] { return !status_of("pinned", "operationState.retryCount").empty(); },
                         std::chrono::seconds(60)));
  write("pinned/web.yaml", config_map("web"));
  commit();
  expect(wait_for("[pinned]", ", repository: " + lab_->folder()), 1,
         {"Application pinned: is being synced, retry ", " without end",
          "Service pinned/web: ", "it is pinned to revision ", "terminatePinned: true"});
  expect(wait_for("[pinned]", ", terminatePinned: true, repository: " + lab_->folder()), 0,
         {"end the operation of Application pinned"});
  EXPECT_EQ(lab_->kubectl({"-n", "pinned", "get", "configmap", "web"}).code, 0);
}

TEST_F(ArgoCd, ACommitThatIsNotPushed_MakesNoOperationOne_ThatIsPinned) {
  std::string origin = lab_->folder() + "/../ahead.git", clone = lab_->folder() + "/../ahead";
  auto git = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"-C", clone});
    Ran ran = lab_->git(args);
    ASSERT_EQ(ran.code, 0) << ran.all();
  };
  ASSERT_EQ(lab_->git({"init", "-q", "--bare", "-b", "main", origin}).code, 0);
  ASSERT_EQ(lab_->git({"clone", "-q", origin, clone}).code, 0);
  write("../ahead/ahead/web.yaml", kBadService);
  git({"checkout", "-q", "-B", "main"});
  git({"add", "-A"});
  git({"commit", "-qm", "first"});
  git({"push", "-q", "-u", "origin", "main"});
  create(App{.name = "ahead",
             .policy = "{automated: {}, retry: {limit: -1, backoff: {duration: 1s, maxDuration: "
                       "2s}}, OPTIONS}",
             .url = "file://" + origin});
  ASSERT_TRUE(eventually([] { return !status_of("ahead", "operationState.retryCount").empty(); },
                         std::chrono::seconds(60)));
  git({"commit", "-q", "--allow-empty", "-m", "second"});
  Ran ran = wait_for("[ahead]", ", terminatePinned: true, repository: " + clone, "12s");
  expect(ran, 6, {"1 commit is not pushed to origin/main", "is being synced, retry "});
  EXPECT_EQ(ran.err.find("pinned"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("end the operation"), std::string::npos) << ran.err;
}

constexpr const char* kSet =
    "{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, metadata: {name: NAME, namespace: "
    "argocd}, spec: {generators: [{git: {repoURL: \"file://REPO\", revision: main, directories: "
    "[{path: \"shops/*\"}]}}], template: {metadata: {name: \"{{path.basename}}\"}, spec: {project: "
    "default, source: {repoURL: \"file://REPO\", path: \"{{path}}\", targetRevision: main}, "
    "destination: {server: \"https://kubernetes.default.svc\", namespace: shops}, syncPolicy: "
    "{automated: {}, syncOptions: [CreateNamespace=true]}}}}}\n";

TEST_F(ArgoCd, ASetThatGeneratesNothing_IsNotDone_UntilItDoes) {
  create(with(with(kSet, "NAME", "shops"), "REPO", lab_->folder()));
  expect(wait_for("[root]", ", sets: {shops: 1}"), 1,
         {"ApplicationSet shops: has generated 0 of at least 1 Application"});
  write("shops/first/a.yaml", config_map("a"));
  commit();
  expect(wait_for("[root]", ", sets: {shops: 1}"), 0,
         {"have Argo CD look again at what ApplicationSet shops generates"});
  EXPECT_EQ(status_of("first", "sync.status"), "Synced");
}

TEST_F(ArgoCd, ASetThatCannotRead_SaysSoInArgoCdsWords) {
  create(with(with(kSet, "NAME", "lost"), "REPO", "/no/such/repository"));
  expect(wait_for("[root]", ", sets: {lost: 1}"), 1,
         {"ApplicationSet lost: error generating params from git", "repository not found",
          "correct repoURL"});
}

TEST_F(ArgoCd, ARepositoryThatCannotBeReached_OrRead_EachHasItsAdvice) {
  NobodyMayRead server;
  create(App{.name = "unreachable", .url = "https://127.0.0.1:1/lab.git"});
  create(App{.name = "refused", .url = server.url()});
  expect(wait_for("[unreachable]"), 1,
         {"connect: connection refused", "see that the repository can be reached"});
  expect(wait_for("[refused]"), 1, {"authentication required", "correct the credentials"});
}

TEST_F(ArgoCd, CommitsThatAreNotPushed_AreNamed_AndOnesThatAreAreWaitedFor) {
  std::string origin = lab_->folder() + "/../origin.git", clone = lab_->folder() + "/../clone";
  auto git = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"-C", clone});
    Ran ran = lab_->git(args);
    ASSERT_EQ(ran.code, 0) << ran.all();
  };
  ASSERT_EQ(lab_->git({"init", "-q", "--bare", "-b", "main", origin}).code, 0);
  ASSERT_EQ(lab_->git({"clone", "-q", origin, clone}).code, 0);
  write("../clone/unpushed/a.yaml", config_map("a"));
  git({"checkout", "-q", "-B", "main"});
  git({"add", "-A"});
  git({"commit", "-qm", "first"});
  git({"push", "-q", "-u", "origin", "main"});
  create(App{.name = "unpushed", .url = "file://" + origin});
  expect(wait_for("[unpushed]", ", repository: " + clone), 0, {});
  write("../clone/unpushed/b.yaml", config_map("b"));
  git({"add", "-A"});
  git({"commit", "-qm", "second"});
  expect(wait_for("[unpushed]", ", repository: " + clone), 1,
         {"wait: 1 commit is not pushed to origin/main: Argo CD does not see it", "is not pushed",
          "push it: git push"});
  git({"push", "-q"});
  expect(wait_for("[unpushed]", ", repository: " + clone), 0, {});
  EXPECT_EQ(lab_->kubectl({"-n", "unpushed", "get", "configmap", "b"}).code, 0);
}

}  // namespace
}  // namespace blackstart::test
