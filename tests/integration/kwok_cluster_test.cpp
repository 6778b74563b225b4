// kwok.cluster when a component of its control plane does not stay up.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

constexpr const char* kWords =
    R"({"level":"fatal","msg":"discovery failed","error":"listen tcp 127.0.0.1:20001: bind: address already in use"})";

/// An etcd that fails as one whose port is taken does, the first `failures` times; then the real
/// one. It keeps the name that it was called by, as the real one does.
void write_failing_etcd(Rehearsal& rehearsal, int failures) {
  std::string count = rehearsal.folder() + "/failed";
  rehearsal.write("etcd",
                  "#!/bin/bash\n"
                  "if [ \"$1\" != --version ] && [ \"$(cat " +
                      count + " | wc -l)\" -lt " + std::to_string(failures) +
                      " ]; then\n"
                      "  echo failed >> " +
                      count +
                      "\n"
                      "  echo '" +
                      kWords +
                      "'\n"
                      "  exit 1\n"
                      "fi\n"
                      "exec -a \"$0\" " +
                      part("etcd") + " \"$@\"\n");
  rehearsal.write("failed", "");
  std::filesystem::permissions(rehearsal.folder() + "/etcd", std::filesystem::perms::owner_all);
}

/// A cluster made with `tools`, tried twice.
std::string cluster_plan(const std::string& tools = "{}") {
  return "apiVersion: blackstart.dev/v1alpha1\n"
         "kind: Plan\n"
         "metadata: {name: test}\n"
         "spec:\n"
         "  tools: " +
         tools +
         "\n"
         "  stages:\n"
         "    - name: cluster\n"
         "      uses: kwok.cluster\n"
         "      retry: {attempts: 2, backoff: 100ms}\n"
         "      with: {nodes: 1}\n";
}

std::string with_failing_etcd(const Rehearsal& rehearsal) {
  return cluster_plan("{etcd: \"" + rehearsal.folder() + "/etcd\"}");
}

/// Listens on a port of 127.0.0.1, as another program might.
class Listener {
 public:
  explicit Listener(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    int yes = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    // The kernel closes the sockets of a killed process a little after it is gone.
    EXPECT_TRUE(eventually([&] { return bind(socket_, raw, sizeof address) == 0; },
                           std::chrono::seconds(30)));
    EXPECT_EQ(listen(socket_, 5), 0);
  }
  ~Listener() { close(socket_); }

 private:
  int socket_;
};

/// Kills the rehearsal's API server; the port that it served on.
int end_api_server(const Rehearsal& rehearsal) {
  for (int pid : rehearsal.processes()) {
    std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (!line.substr(0, line.find('\0')).ends_with("/kube-apiserver")) continue;
    kill(pid, SIGKILL);
    EXPECT_TRUE(
        eventually([&] { return read_file("/proc/" + std::to_string(pid) + "/cmdline").empty(); },
                   std::chrono::seconds(30)));
  }
  std::string config = read_file(rehearsal.kubeconfig());
  const std::string server = "https://127.0.0.1:";
  return std::stoi(config.substr(config.find(server) + server.size()));
}

TEST(KwokCluster, AComponentThatFindsItsPortTaken_IsNoticedAndTheClusterMadeWithOthers) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  write_failing_etcd(rehearsal, 1);
  rehearsal.write("plan.yaml", with_failing_etcd(rehearsal));
  Ran ran = rehearsal.blackstart({"apply"});
  EXPECT_EQ(ran.code, 0) << ran.all();
  EXPECT_LT(ran.elapsed, std::chrono::seconds(100))
      << "kwokctl alone would have waited for two minutes\n"
      << ran.all();
  EXPECT_NE(ran.err.find("attempt 1 failed (transient)"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("etcd of cluster"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("bind: address already in use"), std::string::npos) << ran.err;
  EXPECT_EQ(rehearsal.kubectl({"get", "nodes"}).code, 0);
}

TEST(KwokCluster, AComponentThatNeverStaysUp_EndsWithItsOwnWordsAndLeavesNothingAfterDestroy) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  write_failing_etcd(rehearsal, 100);
  rehearsal.write("plan.yaml", with_failing_etcd(rehearsal));
  Ran ran = rehearsal.blackstart({"apply"});
  EXPECT_EQ(ran.code, 1) << ran.all();
  EXPECT_LT(ran.elapsed, std::chrono::seconds(100)) << ran.all();
  EXPECT_EQ(read_file(rehearsal.folder() + "/failed"), "failed\nfailed\n")
      << "as often as the plan says";
  EXPECT_NE(ran.err.find("etcd of cluster"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find(kWords), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("/logs"), std::string::npos) << ran.err;
  Ran destroyed = rehearsal.blackstart({"destroy", "--yes"});
  EXPECT_EQ(destroyed.code, 0) << destroyed.all();
  EXPECT_TRUE(rehearsal.processes().empty());
}

TEST(KwokCluster, PortOfAStoppedClusterTaken_SaysSoAndKeepsTheData) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", cluster_plan());
  ASSERT_EQ(rehearsal.blackstart({"apply"}).code, 0);
  ASSERT_EQ(rehearsal.kubectl({"create", "configmap", "precious"}).code, 0);
  int port = end_api_server(rehearsal);
  {
    Listener other(port);
    Ran refused = rehearsal.blackstart({"apply"});
    EXPECT_EQ(refused.code, 1) << refused.all();
    EXPECT_LT(refused.elapsed, std::chrono::seconds(100)) << refused.all();
    EXPECT_NE(refused.err.find(std::to_string(port) + ": bind: address already in use"),
              std::string::npos)
        << refused.err;
    EXPECT_NE(refused.err.find("must be freed"), std::string::npos) << refused.err;
  }
  Ran again = rehearsal.blackstart({"apply"});
  EXPECT_EQ(again.code, 0) << again.all();
  EXPECT_EQ(rehearsal.kubectl({"get", "configmap", "precious"}).code, 0);
}

}  // namespace
}  // namespace blackstart::test
