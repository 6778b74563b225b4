// The client on a real API server to which the worst happens: no change is lost, none is told that
// was none, and nothing hangs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/kube/watch.h"
#include "orchestrator/world/async.h"
#include "tests/integration/real_cluster.h"
#include "tests/integration/support/shown_certificate.h"
#include "tests/integration/support/tcp_proxy.h"
#include "tests/integration/support/watched_http.h"
#include "tests/unit/world/test_certificates.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;
using kube::Informer;
using kube::Selection;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// What the client was told of each object: its version after the write, by name.
using Told = std::map<std::string, std::vector<std::string>>;

class KubeFaults : public OnRealCluster {
 protected:
  static constexpr size_t kConcurrency = 16;

  Clock& clock() { return client().world().clock; }
  Instant in(Duration time) { return clock().now() + time; }

  int api_port() {
    const std::string& url = client().endpoint().server;
    return std::stoi(url.substr(url.rfind(':') + 1));
  }
  /// A client with connections of its own, over the proxy.
  std::unique_ptr<kube::Client> client_over(const TcpProxy& proxy) {
    kube::Endpoint endpoint = client().endpoint();
    endpoint.server = "https://127.0.0.1:" + std::to_string(proxy.port());
    endpoint.tls = std::make_shared<TlsIdentity>(*endpoint.tls);
    return std::make_unique<kube::Client>(client().world(), endpoint);
  }

  json::value config_map_object(const std::string& name, const std::string& group) {
    return json::object{
        {"apiVersion", "v1"},
        {"kind", "ConfigMap"},
        {"metadata",
         {{"name", name}, {"namespace", name_space()}, {"labels", {{"group", group}}}}}};
  }
  void create(const std::string& name) {
    result(client().apply(config_map_object(name, "x"), kube::Client::ApplyOptions()));
  }

  /// Who applies: the test's client, or one that is watched.
  kube::Client& applying() { return applying_ != nullptr ? *applying_ : client(); }
  kube::Client* applying_ = nullptr;

  /// Applies one object as the engine would: again after a passing failure, until the end.
  Task<void> apply_as_the_engine(std::string name, std::string group, Told& told) {
    const Instant end = in(seconds(90));
    json::value object = config_map_object(name, group);
    while (true) {
      try {
        const json::value live = co_await applying().apply(object, kube::Client::ApplyOptions());
        told[name].push_back(kube::text_at(live, {"metadata", "resourceVersion"}));
        co_return;
      } catch (const Error& error) {
        const bool passes = error.error_class() == ErrorClass::kTransient ||
                            error.error_class() == ErrorClass::kUnreachable ||
                            error.error_class() == ErrorClass::kThrottled;
        if (!passes || clock().now() > end) throw;
      }
      co_await clock().sleep_until(in(milliseconds(300)));
    }
  }
  /// `count` of them, in `groups` groups; `at` that many told of, `trouble` is called.
  Task<void> apply_many(int count, int groups, size_t at, std::function<void()> trouble,
                        Told& told) {
    std::vector<std::function<Task<void>()>> tasks;
    for (int i = 0; i < count; ++i) {
      tasks.push_back([this, i, groups, at, &trouble, &told]() -> Task<void> {
        if (told.size() >= at && trouble) std::exchange(trouble, nullptr)();
        return apply_as_the_engine("m" + std::to_string(i), std::to_string(i % groups), told);
      });
    }
    co_await run_all(client().world().executor, std::move(tasks), kConcurrency);
  }
  /// Each told of once, and live as it was told.
  void expect_true(const Told& told, size_t count) {
    EXPECT_EQ(told.size(), count);
    const auto list = result(client().list("v1", "ConfigMap", name_space()));
    std::map<std::string, std::string> live;
    for (const json::value& item : list->items)
      live[kube::text_at(item, {"metadata", "name"})] =
          kube::text_at(item, {"metadata", "resourceVersion"});
    for (const auto& [name, versions] : told)
      EXPECT_THAT(versions, testing::ElementsAre(live[name])) << name;
  }

  static Task<void> until(Informer& informer, std::function<bool()> holds) {
    while (!holds()) co_await informer.changed();
  }
  Task<void> within_time(Duration time, std::string what, Task<void> task) {
    return within(clock(), in(time), std::move(what), std::move(task));
  }
  void wait_for(Informer& informer, Duration time, std::function<bool()> holds) {
    run(within_time(time, "it was not seen: " + informer.trouble(),
                    until(informer, std::move(holds))));
  }
  bool knows(const Informer& informer, const std::string& name) {
    return informer.find(name_space(), name) != nullptr;
  }
  void restart_api_server() {
    cluster().kill_api_server();
    cluster().start_api_server();
    wait_until_ready();
  }
  void wait_until_ready() {
    ASSERT_TRUE(eventually([&] { return result(client().is_ready(nullptr)); }, seconds(60)));
  }
  /// All that etcd remembers from before now.
  void compact() {
    const std::string revision = version_of(config_map("after"));
    HttpRequest request;
    request.method = "POST";
    request.url = cluster().etcd_url() + "/v3/kv/compaction";
    request.body = json::serialize(json::object{{"revision", revision}, {"physical", true}});
    EXPECT_EQ(result(client().world().http.send(std::move(request))).status, 200);
  }
};

Task<void> later(Clock& clock, Duration time, std::function<void()> what) {
  co_await clock.sleep_until(clock.now() + time);
  what();
}

TEST_F(KubeFaults, ApiServerKilledDuring1000AppliesAnd50Watches) {
  constexpr int kWatches = 50;
  constexpr size_t kEach = 20;
  std::vector<std::unique_ptr<Informer>> informers;
  for (int i = 0; i < kWatches; ++i) {
    const Selection selection("v1", "ConfigMap", name_space(), "", "group=" + std::to_string(i));
    informers.push_back(std::make_unique<Informer>(client(), selection));
    run(informers.back()->start());
  }
  Told told;
  TaskGroup meanwhile(client().world().executor);
  const auto trouble = [&] {
    cluster().kill_api_server();
    meanwhile.spawn(later(clock(), seconds(1), [&] { cluster().start_api_server(); }));
  };
  run(apply_many(kWatches * kEach, kWatches, 300, trouble, told));
  run(meanwhile.join());
  expect_true(told, kWatches * kEach);
  for (auto& informer : informers) {
    wait_for(*informer, seconds(60), [&] { return informer->items().size() == kEach; });
    for (const json::value* item : informer->items())
      EXPECT_EQ(kube::text_at(*item, {"metadata", "resourceVersion"}),
                told[kube::text_at(*item, {"metadata", "name"})].back());
  }
  for (int i = 0; i < kWatches; ++i) result(client().remove(config_map("m" + std::to_string(i))));
  for (auto& informer : informers) {
    wait_for(*informer, seconds(60), [&] { return informer->items().size() == kEach - 1; });
    EXPECT_EQ(informer->trouble(), "");
    run(informer->stop());
  }
}

Task<void> read_repeatedly(kube::Client& client, kube::ObjectRef ref, Instant until,
                           size_t& answers) {
  while (client.world().clock.now() < until) {
    const auto found = co_await client.get(ref);
    answers += found ? 1 : 0;
    co_await client.world().clock.sleep_until(client.world().clock.now() + seconds(1));
  }
}

// A read is given up after 15 seconds, a write by the API server after 34; both are sent again.
TEST_F(KubeFaults, EtcdStoppedFor40Seconds_NothingIsLostAndTriesAreRepeated) {
  constexpr size_t kCount = 200;
  WatchedHttp http(client().world().http);
  World world = with_http(client().world(), http);
  kube::Client watched(world, client().endpoint());
  applying_ = &watched;
  create("read");
  result(watched.get(config_map("read")));
  Informer informer(client(), Selection("v1", "ConfigMap", name_space(), "", "group=0"));
  run(informer.start());
  Told told;
  size_t answers = 0;
  TaskGroup meanwhile(client().world().executor);
  const auto trouble = [&] {
    cluster().signal_etcd(SIGSTOP);
    meanwhile.spawn(later(clock(), seconds(40), [&] { cluster().signal_etcd(SIGCONT); }));
    meanwhile.spawn(read_repeatedly(watched, config_map("read"), in(seconds(45)), answers));
  };
  run(apply_many(kCount, 1, 50, trouble, told));
  run(meanwhile.join());
  cluster().revive_controllers();
  EXPECT_GE(http.failed("GET"), 2u) << "etcd was not missed";
  EXPECT_GE(http.failed("PATCH"), 1u);
  EXPECT_GE(answers, 2u) << "none of the reads failed for good, and they went on";
  expect_true(told, kCount);
  wait_for(informer, seconds(60), [&] { return informer.items().size() == kCount; });
  for (const json::value* item : informer.items())
    EXPECT_EQ(kube::text_at(*item, {"metadata", "resourceVersion"}),
              told[kube::text_at(*item, {"metadata", "name"})].back());
  run(informer.stop());
}

TEST_F(KubeFaults, HalfOpenConnections_AreNoticedWithin15Seconds) {
  TcpProxy proxy(api_port());
  const auto watching = client_over(proxy);
  const auto writing = client_over(proxy);
  Informer informer(*watching, Selection("v1", "ConfigMap", name_space()));
  run(informer.start());
  result(writing->identity());
  create("before");
  wait_for(informer, seconds(10), [&] { return knows(informer, "before"); });
  proxy.drop_packets();
  create("hidden");
  const Instant begun = clock().now();
  result(writing->apply(config_map_object("written", "x"), kube::Client::ApplyOptions()));
  EXPECT_LE(clock().now() - begun, seconds(15 + 2)) << "noticed, and sent again";
  EXPECT_GE(clock().now() - begun, seconds(5)) << "it was not half-open";
  wait_for(informer, seconds(6), [&] { return knows(informer, "hidden"); });
  EXPECT_LE(clock().now() - begun, seconds(15 + 3));
  run(informer.stop());
}

TEST_F(KubeFaults, AHungProxy_HoldsAReadNoLongerThan15Seconds) {
  TcpProxy proxy(api_port());
  const auto reading = client_over(proxy);
  result(reading->identity());
  proxy.swallow();
  const Instant begun = clock().now();
  EXPECT_NO_THROW(result(reading->identity()));  // the next try takes another connection
  EXPECT_LE(clock().now() - begun, seconds(15 + 2));
  EXPECT_GE(clock().now() - begun, seconds(14));
}

TEST_F(KubeFaults, AConnectionThatIsCutOrSlow_LosesNothing) {
  TcpProxy proxy(api_port());
  const auto over = client_over(proxy);
  Informer informer(*over, Selection("v1", "ConfigMap", name_space()));
  run(informer.start());
  proxy.cut_off();
  create("unseen");
  const auto troubled = [&] {
    run(clock().sleep_until(in(milliseconds(10))));
    return !informer.trouble().empty();
  };
  EXPECT_TRUE(eventually(troubled, seconds(20)));
  proxy.let_in();
  proxy.slow_down(milliseconds(100));
  wait_for(informer, seconds(30), [&] { return knows(informer, "unseen"); });
  EXPECT_EQ(informer.trouble(), "");
  run(informer.stop());
}

TEST_F(KubeFaults, ADefinitionRemovedAndInstalledAgain_IsFollowed) {
  const std::string definition = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: comets.faults.blackstart.dev}
spec:
  group: faults.blackstart.dev
  scope: Cluster
  names: {plural: comets, kind: Comet}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
)";
  const auto comet = [](const std::string& name) {
    return "---\napiVersion: faults.blackstart.dev/v1\nkind: Comet\nmetadata: {name: " + name +
           "}\n";
  };
  apply(read(definition + comet("first")));
  Informer informer(client(), Selection("faults.blackstart.dev/v1", "Comet"));
  run(informer.start());
  EXPECT_TRUE(informer.find("", "first"));
  const kube::ObjectRef ref("apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
                            "comets.faults.blackstart.dev");
  result(client().remove(ref));
  wait_for(informer, seconds(30), [&] { return !informer.known() && informer.items().empty(); });
  apply(read(definition + comet("second")));
  wait_for(informer, seconds(30), [&] { return informer.find("", "second") != nullptr; });
  EXPECT_FALSE(informer.find("", "first"));
  run(informer.stop());
}

// The watch cache starts anew with the API server, and etcd has forgotten: a watch cannot go on.
TEST_F(KubeFaults, CompactionWhileAWatchIsAway_AndTheCertificateRotated) {
  TcpProxy proxy(api_port());
  const auto over = client_over(proxy);
  create("before");
  create("removed");
  Informer informer(*over, Selection("v1", "ConfigMap", name_space()));
  run(informer.start());
  const std::string old_version = version_of(config_map("before"));
  proxy.cut_off();
  result(client().remove(config_map("removed")));
  create("after");
  cluster().kill_api_server();
  const TemporaryFolder folder;
  const Certificate leaf =
      make_leaf({read_file(cluster().pki("ca.crt")), read_file(cluster().pki("ca.key"))});
  cluster().use_certificate(folder.write("tls.crt", leaf.certificate),
                            folder.write("tls.key", leaf.key));
  cluster().start_api_server();
  wait_until_ready();
  EXPECT_EQ(shown_certificate(api_port()), leaf.certificate) << "it was to be rotated";
  compact();
  restart_api_server();
  const std::string path = "/api/v1/namespaces/" + name_space() + "/configmaps";
  std::string frames;
  try {
    run(client().stream(path + "?watch=true&resourceVersion=" + old_version, seconds(20),
                        [&](std::string_view line) {
                          frames += line;
                          throw Error(ErrorClass::kCancelled, "enough");
                        }));
  } catch (const Error& error) {
    frames += error.full_text();
  }
  EXPECT_THAT(frames, HasSubstr("too old resource version")) << "it was to be a real 410";
  proxy.let_in();
  wait_for(informer, seconds(60), [&] { return knows(informer, "after"); });
  EXPECT_FALSE(knows(informer, "removed"));
  EXPECT_TRUE(knows(informer, "before"));
  run(informer.stop());
  cluster().kill_api_server();
  cluster().use_certificate(cluster().pki("admin.crt"), cluster().pki("admin.key"));
  cluster().start_api_server();
  wait_until_ready();
}

TEST_F(KubeFaults, ACertificateOfAnotherCa_IsRefusedAtOnce_AndTheRightOneTrustedAgain) {
  cluster().kill_api_server();
  const TemporaryFolder folder;
  const Certificate leaf = make_leaf(make_ca("another CA"));
  cluster().use_certificate(folder.write("tls.crt", leaf.certificate),
                            folder.write("tls.key", leaf.key));
  cluster().start_api_server();
  EXPECT_TRUE(
      eventually([&] { return shown_certificate(api_port()) == leaf.certificate; }, seconds(60)));
  WatchedHttp http(client().world().http);
  World world = with_http(client().world(), http);
  kube::Client one(world, client().endpoint());
  std::optional<Error> refused;
  try {
    result(one.server_version());
  } catch (const Error& error) {
    refused = error;
  }
  cluster().kill_api_server();
  cluster().use_certificate(cluster().pki("admin.crt"), cluster().pki("admin.key"));
  cluster().start_api_server();
  wait_until_ready();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error_class(), ErrorClass::kAuthentication);
  EXPECT_EQ(http.seen().size(), 1u) << "asking again does not help";
  EXPECT_THAT(refused->full_text(), HasSubstr("the server's certificate is not trusted"));
  EXPECT_THAT(refused->hint(), HasSubstr("CA"));
  create("trusted-again");
}

}  // namespace
}  // namespace blackstart::test
