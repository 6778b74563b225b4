#include "tests/unit/kube/scripted_world.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "tests/unit/kube/bare_parts.h"

namespace blackstart::kube {

namespace json = boost::json;

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

struct Script {
  std::string part;
  std::vector<HttpResponse> responses;
  size_t next = 0;
};

}  // namespace

struct ScriptedWorld::Parts {
  VirtualLoop loop;
  HalfRandom random;
  NoProcesses processes;
  ScriptedHttp http;
  MemoryFiles files;
  MapEnvironment environment;
  Inline blocking;
  World world{loop.clock, random,      processes, http,
              files,      environment, blocking,  loop.context.get_executor()};
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
Duration ScriptedWorld::elapsed() const { return parts_->loop.elapsed(); }
void ScriptedWorld::run(Task<void> task) { parts_->loop.run(std::move(task)); }

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
