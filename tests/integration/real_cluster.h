// A real API server for the tests of kube/: etcd, API server, controller manager and scheduler by
// kwokctl.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "orchestrator/kube/apply.h"
#include "orchestrator/kube/client.h"
#include "orchestrator/world/real.h"
#include "tests/integration/support/program.h"

namespace blackstart::test {

/// One cluster per test program, made on first use, without nodes. On a node that is made later
/// pods have the status that their annotation "played" holds (JSON, with a podIP). A watchdog
/// process takes it away when the program ends, however it ends.
class RealCluster {
 public:
  static RealCluster& get();

  bool usable() const { return failure_.empty(); }
  const std::string& failure() const { return failure_; }
  const std::string& kubeconfig() const { return kubeconfig_; }
  Ran kubectl(std::vector<std::string> args, const std::string& input = {}) const;
  void kill_api_server();
  /// What the API server shows from its next start on; two PEM files.
  void use_certificate(const std::string& certificate_file, const std::string& key_file);
  /// Of the cluster's own CA and certificates: ca.crt, ca.key, admin.crt, admin.key.
  std::string pki(const std::string& file) const;
  std::string etcd_url() const;
  void signal_etcd(int number) const;
  void start_api_server();
  /// Starts the controller manager and the scheduler when they have ended: each gives up when it
  /// could not renew its lease for ten seconds.
  void revive_controllers();

 private:
  RealCluster();
  ~RealCluster();
  /// Makes it in a folder of its own; says what went wrong, or nothing.
  std::string create(const std::string& folder);
  std::string last_line_of(const std::string& component) const;
  Ran kwokctl(std::vector<std::string> args) const;
  void start_watchdog();

  std::string folder_, work_folder_, kubeconfig_, failure_;
  std::vector<std::string> api_server_;  // its command line
  std::unique_ptr<Background> revived_;
  std::vector<std::vector<std::string>> controllers_;  // their command lines
  std::vector<std::unique_ptr<Background>> revived_controllers_;
  int watchdog_ = -1;
  int lifeline_ = -1;  // the watchdog acts when this end of the pipe is closed
};

/// A client of that cluster and a namespace of the test's own.
class OnRealCluster : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  void run(Task<void> task);
  template <class T>
  T result(Task<T> task) {
    std::optional<T> slot;
    auto store = [](Task<T> inner, std::optional<T>& out) -> Task<void> {
      out = co_await std::move(inner);
    };
    run(store(std::move(task), slot));
    return std::move(*slot);
  }

  RealCluster& cluster() { return RealCluster::get(); }
  kube::Client& client() { return *client_; }
  const std::string& name_space() const { return name_space_; }
  kube::Manifests read(const std::string& yaml);
  void apply(const kube::Manifests& set, bool force = false);
  std::vector<kube::ObjectState> compare(const kube::Manifests& set);
  boost::json::value live(const kube::ObjectRef& ref);
  std::string version_of(const kube::ObjectRef& ref);
  kube::ObjectRef config_map(const std::string& name) const {
    return {"v1", "ConfigMap", name_space_, name};
  }

 private:
  std::unique_ptr<RealWorld> world_;
  std::unique_ptr<kube::Client> client_;
  std::string name_space_;
};

}  // namespace blackstart::test
