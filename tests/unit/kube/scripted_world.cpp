#include "tests/unit/kube/scripted_world.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace blackstart::kube {

namespace asio = boost::asio;
namespace json = boost::json;

struct VirtualClock::Sleeper {
  explicit Sleeper(asio::io_context& loop) : timer(loop, asio::steady_timer::time_point::max()) {}
  asio::steady_timer timer;
};

VirtualClock::VirtualClock(asio::io_context& loop) : loop_(loop) {}
VirtualClock::~VirtualClock() = default;

WallTime VirtualClock::wall_time() const {
  return WallTime(std::chrono::seconds(1'767'225'600)) +  // 2026-01-01
         std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch());
}

Task<void> VirtualClock::sleep_until(Instant instant) {
  co_await throw_if_cancelled();
  if (instant <= now_) co_return;
  auto sleeper = std::make_shared<Sleeper>(loop_);
  auto place = sleepers_.emplace(instant, sleeper);
  co_await sleeper->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (now_ >= instant) co_return;
  sleepers_.erase(place);
  throw Error(ErrorClass::kCancelled, "cancelled");
}

bool VirtualClock::advance() {
  if (sleepers_.empty()) return false;
  now_ = sleepers_.begin()->first;
  while (!sleepers_.empty() && sleepers_.begin()->first <= now_) {
    sleepers_.begin()->second->timer.cancel();
    sleepers_.erase(sleepers_.begin());
  }
  return true;
}

Task<HttpResponse> ScriptedHttp::send(HttpRequest request) {
  requests.push_back(request);
  co_return co_await handler(std::move(request));
}

size_t ScriptedHttp::count(const std::string& part_of_url) const {
  return static_cast<size_t>(std::ranges::count_if(requests, [&](const HttpRequest& r) {
    return r.url.find(part_of_url) != std::string::npos;
  }));
}

FileKind MemoryFiles::kind(const std::string& path) const {
  if (content.contains(path)) return FileKind::kFile;
  const auto below = content.lower_bound(path + '/');
  return below != content.end() && below->first.starts_with(path + '/') ? FileKind::kFolder
                                                                        : FileKind::kMissing;
}

std::string MemoryFiles::read(const std::string& path, size_t limit_bytes) const {
  const auto found = content.find(path);
  if (found == content.end()) throw Error(ErrorClass::kPermanent, "cannot read " + path);
  if (found->second.size() > limit_bytes)
    throw Error(ErrorClass::kPermanent, path + " is too large");
  return found->second;
}

void MemoryFiles::write(const std::string& path, std::string_view text, int) {
  content[path] = text;
}

void MemoryFiles::rename(const std::string&, const std::string&) {
  throw std::logic_error("nothing is renamed here");
}

void MemoryFiles::remove_all(const std::string& path) {
  std::erase_if(content, [&](const auto& file) {
    return file.first == path || file.first.starts_with(path + '/');
  });
}

std::vector<std::string> MemoryFiles::list(const std::string& path) const {
  std::set<std::string> names;
  for (const auto& [file, text] : content) {
    if (!file.starts_with(path + '/')) continue;
    const std::string rest = file.substr(path.size() + 1);
    names.insert(rest.substr(0, rest.find('/')));
  }
  return {names.begin(), names.end()};
}

std::unique_ptr<FileLock> MemoryFiles::try_lock(const std::string&) {
  throw std::logic_error("no locks here");
}

namespace {

class HalfRandom final : public Random {
 public:
  double uniform() override { return 0.5; }
  std::string bytes(size_t count) override { return std::string(count, 'x'); }
};

class NoProcesses final : public Processes {
 public:
  Task<Exit> run(Command) override { throw std::logic_error("no processes here"); }
  Task<Daemon> start_daemon(Command, std::string) override {
    throw std::logic_error("no processes here");
  }
  bool alive(const Daemon&) const override { return false; }
  std::optional<Daemon> find(int) const override { return std::nullopt; }
  Task<void> stop(Daemon, Duration) override { co_return; }
  void kill_all() override {}
};

class NoEnvironment final : public Environment {
 public:
  std::optional<std::string> get(const std::string&) const override { return std::nullopt; }
  std::string working_directory() const override { return "/"; }
  std::string executable_path() const override { return "/blackstart"; }
  std::string user() const override { return "user"; }
  std::string host() const override { return "host"; }
  int pid() const override { return 1; }
  int free_port() override { return 1; }
};

class Inline final : public Blocking {
 public:
  Task<void> run(std::function<void()> work) override {
    work();
    co_return;
  }
};

struct Script {
  std::string part;
  std::vector<HttpResponse> responses;
  size_t next = 0;
};

}  // namespace

struct ScriptedWorld::Parts {
  asio::io_context loop;
  VirtualClock clock{loop};
  Instant began = clock.now();
  HalfRandom random;
  NoProcesses processes;
  ScriptedHttp http;
  MemoryFiles files;
  NoEnvironment environment;
  Inline blocking;
  World world{clock, random, processes, http, files, environment, blocking, loop.get_executor()};
  std::vector<Script> scripts;
  std::unique_ptr<Client> client;

  Task<HttpResponse> reply(HttpRequest request) {
    for (Script& script : scripts) {
      const bool whole = script.part.starts_with("https://");
      if (whole ? request.url != script.part : request.url.find(script.part) == std::string::npos)
        continue;
      HttpResponse response = script.responses[std::min(script.next, script.responses.size() - 1)];
      ++script.next;
      co_return response;
    }
    co_return status_response(404, "NotFound", "nothing at " + request.url);
  }
};

ScriptedWorld::ScriptedWorld()
    : parts_(std::make_unique<Parts>()), http(parts_->http), files(parts_->files) {
  Endpoint endpoint;
  endpoint.server = "https://api";
  endpoint.tls = std::make_shared<TlsIdentity>();
  parts_->client = std::make_unique<Client>(parts_->world, endpoint);
  http.handler = [parts = parts_.get()](HttpRequest request) {
    return parts->reply(std::move(request));
  };
}
ScriptedWorld::~ScriptedWorld() = default;

World& ScriptedWorld::world() { return parts_->world; }
Client& ScriptedWorld::client() { return *parts_->client; }
Duration ScriptedWorld::elapsed() const {
  return std::chrono::duration_cast<Duration>(parts_->clock.now() - parts_->began);
}

void ScriptedWorld::run(Task<void> task) {
  std::exception_ptr failure;
  bool ended = false;
  start(parts_->loop.get_executor(), std::move(task), [&](std::exception_ptr error) {
    failure = error;
    ended = true;
  });
  while (!ended) {
    parts_->loop.restart();
    if (parts_->loop.poll() > 0) continue;
    const bool endless = elapsed() > std::chrono::hours(24);
    if (endless || !parts_->clock.advance())
      throw std::logic_error("the task waits for what never comes");
  }
  parts_->loop.restart();
  parts_->loop.poll();
  if (failure) std::rethrow_exception(failure);
}

void ScriptedWorld::answer(const std::string& part, std::vector<HttpResponse> responses) {
  std::erase_if(parts_->scripts, [&](const Script& s) { return s.part == part; });
  parts_->scripts.push_back({part, std::move(responses), 0});
  // The most exact script first, so that "/pods/a/log" is not answered as "/pods".
  std::ranges::stable_sort(parts_->scripts, std::greater(),
                           [](const Script& s) { return s.part.size(); });
}

namespace {

std::string discovery_of(const std::vector<Resource>& resources, bool core) {
  std::map<std::string, json::array> versions;
  for (const Resource& r : resources) {
    if ((r.api_version == "v1") != core) continue;
    versions[r.api_version].push_back(
        json::object{{"resource", r.plural},
                     {"responseKind", {{"kind", r.kind}}},
                     {"scope", r.namespaced ? "Namespaced" : "Cluster"}});
  }
  json::array items;
  for (auto& [api_version, list] : versions) {
    const size_t slash = api_version.find('/');
    const std::string group = core ? "" : api_version.substr(0, slash);
    const std::string version = core ? api_version : api_version.substr(slash + 1);
    items.push_back(json::object{
        {"metadata", {{"name", group}}},
        {"versions", json::array{json::object{{"version", version}, {"resources", list}}}}});
  }
  return json::serialize(json::object{{"kind", "APIGroupDiscoveryList"}, {"items", items}});
}

}  // namespace

void ScriptedWorld::serve_discovery(std::vector<Resource> more) {
  std::vector<Resource> all = {
      {"v1", "ConfigMap", "configmaps", true},
      {"v1", "Secret", "secrets", true},
      {"v1", "Namespace", "namespaces", false},
      {"v1", "Pod", "pods", true},
      {"v1", "Service", "services", true},
      {"v1", "Event", "events", true},
      {"apps/v1", "Deployment", "deployments", true},
      {"apps/v1", "ReplicaSet", "replicasets", true},
      {"batch/v1", "Job", "jobs", true},
      {"apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false}};
  all.insert(all.end(), more.begin(), more.end());
  answer("https://api/api", {json_response(200, discovery_of(all, true))});
  answer("https://api/apis", {json_response(200, discovery_of(all, false))});
}

HttpResponse json_response(int status, std::string body,
                           std::map<std::string, std::string> headers) {
  return {status, std::move(headers), std::move(body)};
}

HttpResponse status_response(int code, const std::string& reason, const std::string& message,
                             std::map<std::string, std::string> headers) {
  const json::object status{{"kind", "Status"},
                            {"status", "Failure"},
                            {"code", code},
                            {"reason", reason},
                            {"message", message}};
  return {code, std::move(headers), json::serialize(status)};
}

}  // namespace blackstart::kube
