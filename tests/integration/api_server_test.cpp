// The API server goes away while we work: for a while, for good, and for another one.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

const char* kWaitForGo = R"(
    - name: wait
      uses: kube.wait
      timeout: TIMEOUT
      with:
        for:
          - {kind: ConfigMap, apiVersion: v1, name: go, namespace: default}
)";

std::string waiting_plan(const std::string& timeout) {
  std::string stages = kWaitForGo;
  stages.replace(stages.find("TIMEOUT"), 7, timeout);
  return plan_with_cluster(stages);
}

/// The rehearsal's kube-apiserver, which can be killed and brought back with its own arguments.
class ApiServer {
 public:
  explicit ApiServer(const Rehearsal& rehearsal) {
    for (int pid : rehearsal.processes()) {
      std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
      std::string program = line.substr(0, line.find('\0'));
      if (!program.ends_with("/kube-apiserver")) continue;
      pid_ = pid;
      for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1)
        invocation_.argv.push_back(line.substr(at, line.find('\0', at) - at));
    }
  }
  bool found() const { return pid_ > 0; }
  void kill_it() const {
    kill(pid_, SIGKILL);
    EXPECT_TRUE(eventually([this] { return kill(pid_, 0) != 0; }, std::chrono::seconds(30)));
  }
  Background bring_back() const { return Background(invocation_); }

 private:
  int pid_ = 0;
  Invocation invocation_;
};

/// Returns once the running apply waits in its stage "wait": all before it is done.
void until_it_waits(const Rehearsal& rehearsal) {
  auto waits = [&] {
    std::string events = read_file(rehearsal.folder() + "/events.ndjson");
    return events.find(R"("type":"wait","stage":"wait")") != std::string::npos;
  };
  EXPECT_TRUE(eventually(waits, std::chrono::seconds(60)));
}

TEST(ApiServer, KilledDuringApplyAndBackTenSecondsLater_GoesOn) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", waiting_plan("120s"));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--until", "cluster"}).code, 0);
  Background apply = rehearsal.start({"apply", "--events", "events.ndjson"});
  until_it_waits(rehearsal);
  ApiServer server(rehearsal);
  ASSERT_TRUE(server.found());
  server.kill_it();
  sleep(10);
  Background back = server.bring_back();
  ASSERT_TRUE(eventually(
      [&] {
        return rehearsal.kubectl({"create", "configmap", "go"}).code == 0;
      },
      std::chrono::seconds(60)));
  Ran ran = apply.wait(std::chrono::seconds(120));
  EXPECT_EQ(ran.code, 0) << ran.all();
}

TEST(ApiServer, GoneForGood_EndsAtTheDeadlineSayingWhatItWaitedFor) {
  NEEDS_PART("kwokctl");
  Rehearsal rehearsal;
  rehearsal.write("plan.yaml", waiting_plan("12s"));
  ASSERT_EQ(rehearsal.blackstart({"apply", "--until", "cluster"}).code, 0);
  Background apply = rehearsal.start({"apply", "--events", "events.ndjson"});
  until_it_waits(rehearsal);
  ApiServer server(rehearsal);
  ASSERT_TRUE(server.found());
  server.kill_it();
  Ran ran = apply.wait(std::chrono::seconds(60));
  EXPECT_EQ(ran.code, 6) << ran.all();
  EXPECT_NE(ran.err.find("not done within 12"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("127.0.0.1"), std::string::npos) << "names the endpoint\n" << ran.err;
  EXPECT_NE(ran.err.find("blackstart apply"), std::string::npos) << "the command to resume\n"
                                                                 << ran.err;
  Ran status = rehearsal.blackstart({"status"});
  EXPECT_EQ(status.code, 2) << "kwok.cluster itself sees that its API server is down\n"
                            << status.all();
}

TEST(Target, AnotherClusterBehindTheKubeconfig_IsRefusedBeforeAnyWrite) {
  NEEDS_PART("kwokctl");
  Rehearsal one, other, user;
  for (Rehearsal* made : {&one, &other}) {
    made->write("plan.yaml", plan_with_cluster(""));
    ASSERT_EQ(made->blackstart({"apply"}).code, 0);
  }
  user.write("plan.yaml", R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: existing}
spec:
  cluster: {kubeconfig: kubeconfig}
  stages:
    - name: demo
      uses: kube.namespace
      with: {name: demo}
)");
  namespace fs = std::filesystem;
  fs::copy_file(one.kubeconfig(), user.folder() + "/kubeconfig");
  ASSERT_EQ(user.blackstart({"apply"}).code, 0);
  fs::copy_file(other.kubeconfig(), user.folder() + "/kubeconfig",
                fs::copy_options::overwrite_existing);
  Ran refused = user.blackstart({"apply"});
  EXPECT_EQ(refused.code, 4) << refused.all();
  EXPECT_NE(refused.err.find("cluster"), std::string::npos);
  EXPECT_EQ(refused.err.find("to go on:"), std::string::npos) << "it would be refused again";
  Ran status = user.blackstart({"status"});
  EXPECT_EQ(status.code, 4) << status.all();
  EXPECT_EQ(status.all().find("blackstart apply"), std::string::npos) << status.all();
  EXPECT_NE(other.kubectl({"get", "namespace", "demo"}).code, 0) << "nothing may have been written";
}

TEST(Target, NothingListens_IsUnreachable) {
  Rehearsal rehearsal;
  rehearsal.write("kubeconfig", R"(
apiVersion: v1
kind: Config
current-context: x
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: x, user: {token: abcdef}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
)");
  rehearsal.write("plan.yaml", R"(
apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: existing}
spec:
  cluster: {kubeconfig: kubeconfig}
  stages:
    - {name: demo, uses: kube.namespace, timeout: 4s, with: {name: demo}}
)");
  for (const std::string command : {"status", "apply", "destroy"}) {
    Ran ran = rehearsal.blackstart(
        command == "status" ? std::vector{command} : std::vector<std::string>{command, "--yes"});
    EXPECT_EQ(ran.code, 3) << command << ran.all();
    EXPECT_NE(ran.all().find("Connection refused"), std::string::npos) << command << ran.all();
  }
}

}  // namespace
}  // namespace blackstart::test
