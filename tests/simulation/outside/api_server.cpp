#include "tests/simulation/outside/api_server.h"

#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/kube/json.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr Duration kLatency = std::chrono::milliseconds(2);
constexpr Duration kBookmarks = std::chrono::seconds(60);
constexpr Duration kWatchLongest = std::chrono::seconds(600);

HttpResponse reply(int status, const json::value& body) {
  return {status, {{"content-type", "application/json"}}, json::serialize(body)};
}

HttpResponse reply(const ApiAnswer& answer) { return reply(answer.status, answer.body); }

std::string decode(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// "a=b", "a!=b", "a", all joined by commas.
bool labels_fit(const json::value& object, const std::string& selector) {
  if (selector.empty()) return true;
  for (const std::string& term : split(selector, ',')) {
    size_t unequal = term.find("!="), equal = term.find('=');
    std::string key = term.substr(0, std::min(unequal, equal));
    const json::value* value = kube::find(object, {"metadata", "labels", key});
    std::string have = value && value->is_string() ? std::string(value->get_string()) : "";
    if (unequal != std::string::npos) {
      if (have == term.substr(unequal + 2)) return false;
    } else if (equal != std::string::npos) {
      size_t begin = term.find_first_not_of('=', equal);
      if (have != (begin == std::string::npos ? "" : term.substr(begin))) return false;
    } else if (!value) {
      return false;
    }
  }
  return true;
}

bool name_fits(const json::value& object, const std::string& selector) {
  constexpr std::string_view kName = "metadata.name=";
  if (selector.empty()) return true;
  if (!selector.starts_with(kName)) throw std::logic_error("field selector " + selector);
  return kube::text_at(object, {"metadata", "name"}) == selector.substr(kName.size());
}

}  // namespace

struct ApiServer::Query {
  std::map<std::string, std::string> values;

  explicit Query(const std::string& text) {
    if (text.empty()) return;
    for (const std::string& part : split(text, '&')) {
      size_t equal = part.find('=');
      if (equal != std::string::npos)
        values[part.substr(0, equal)] = decode(std::string_view(part).substr(equal + 1));
    }
  }
  std::string get(const std::string& name) const {
    auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  }
  bool selects(const json::value& object) const {
    return labels_fit(object, get("labelSelector")) && name_fits(object, get("fieldSelector"));
  }
};

ApiServer::ApiServer(SimClock& clock, std::string identity)
    : clock_(clock), store_(clock, std::move(identity)) {
  store_.on_change.push_back([this](const ApiEvent&) { wake(); });
}

void ApiServer::wake() {
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& one : waiting)
    if (auto event = one.lock()) event->set();
}

void ApiServer::shut_down() {
  down_ = true;
  drop_watches();
}

void ApiServer::drop_watches() {
  ++connections_;
  wake();
}

Task<HttpResponse> ApiServer::send(std::shared_ptr<ApiServer> self, HttpRequest request) {
  size_t path_at = request.url.find('/', request.url.find("://") + 3);
  std::string path = request.url.substr(path_at);
  std::string query_text;
  if (size_t mark = path.find('?'); mark != std::string::npos) {
    query_text = path.substr(mark + 1);
    path.resize(mark);
  }
  Query query(query_text);
  bool is_watch = request.method == "GET" && query.get("watch") == "true";
  if (is_watch) co_return co_await watch(self, std::move(request), path, query_text);
  HttpResponse response = self->answer(request, path, query);
  co_await self->clock_.sleep_until(self->clock_.now() + kLatency);
  co_return response;
}

HttpResponse ApiServer::answer(const HttpRequest& request, const std::string& path,
                               const Query& query) {
  if (path == "/readyz") {
    if (ready) return {200, {}, "ok"};
    return reply(ApiStore::refusal(500, "InternalError", "[-]etcd failed: reason withheld"));
  }
  if (path == "/version") return reply(200, json::object{{"gitVersion", "v1.36.3"}});
  if (path == "/api" || path == "/apis") return discovery(path == "/api");
  auto target = target_of(path);
  if (!target || !target->kind || !target->rest.empty())
    return reply(
        ApiStore::refusal(404, "NotFound", "the server could not find the requested resource"));
  HttpResponse response =
      request.method == "GET" ? read(*target, query) : write(request, *target, query);
  if (response.status >= 400 && request.method != "GET")
    refusals_.push_back(request.method + " " + path + ": " + response.body);
  return response;
}

HttpResponse ApiServer::discovery(bool core) const {
  std::map<std::string, std::map<std::string, json::array>> groups;
  for (const ServedKind& kind : store_.kinds()) {
    if (kind.group.empty() != core) continue;
    groups[kind.group][kind.version].push_back(json::object{
        {"resource", kind.plural},
        {"responseKind", {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}}},
        {"scope", kind.namespaced ? "Namespaced" : "Cluster"}});
  }
  json::array items;
  for (auto& [group, versions] : groups) {
    json::array list;
    for (auto& [version, resources] : versions)
      list.push_back(json::object{
          {"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}});
    items.push_back(json::object{{"metadata", {{"name", group}}}, {"versions", std::move(list)}});
  }
  return reply(200, json::object{{"kind", "APIGroupDiscoveryList"},
                                 {"apiVersion", "apidiscovery.k8s.io/v2"},
                                 {"items", std::move(items)}});
}

std::optional<ApiServer::Target> ApiServer::target_of(const std::string& path) const {
  std::vector<std::string> parts = split(path.substr(1), '/');
  for (std::string& part : parts) part = decode(part);
  bool core = parts[0] == "api";
  size_t at = core ? 2 : 3;
  if ((!core && parts[0] != "apis") || parts.size() <= at) return std::nullopt;
  std::string group = core ? "" : parts[1], version = parts[at - 1];
  Target target;
  bool inside = parts[at] == "namespaces" && parts.size() > at + 2;
  if (inside) {
    target.name_space = parts[at + 1];
    at += 2;
  }
  target.kind = store_.kind_at(group, version, parts[at]);
  if (parts.size() > at + 1) target.name = parts[at + 1];
  if (parts.size() > at + 2) target.rest = parts[at + 2];
  return target;
}

HttpResponse ApiServer::read(const Target& target, const Query& query) const {
  const ServedKind& kind = *target.kind;
  if (!target.name.empty()) {
    kube::ObjectRef ref(kind.api_version(), kind.kind, target.name_space, target.name);
    if (const json::value* found = store_.find(ref)) return reply(200, *found);
    return reply(
        ApiStore::refusal(404, "NotFound", kind.plural + " \"" + target.name + "\" not found"));
  }
  json::array items;
  for (json::value& object : store_.list(kind, target.name_space))
    if (query.selects(object)) items.push_back(std::move(object));
  json::object metadata{{"resourceVersion", std::to_string(store_.version())}};
  return reply(200, json::object{{"kind", kind.kind + "List"},
                                 {"apiVersion", kind.api_version()},
                                 {"metadata", std::move(metadata)},
                                 {"items", std::move(items)}});
}

HttpResponse ApiServer::write(const HttpRequest& request, const Target& target,
                              const Query& query) {
  const ServedKind& kind = *target.kind;
  kube::ObjectRef ref(kind.api_version(), kind.kind, target.name_space, target.name);
  if (request.method == "DELETE") return remove(request, ref);
  auto type = request.headers.find("Content-Type");
  std::string content = type == request.headers.end() ? "" : type->second;
  json::value body = json::parse(request.body);
  if (request.method != "PATCH" || content.empty())
    return reply(ApiStore::refusal(405, "MethodNotAllowed", "not simulated"));
  if (content == "application/merge-patch+json")
    return reply(store_.patch(ref, body, query.get("fieldManager")));
  if (kube::ref_of(body) != ref && !kube::ref_of(body).name_space.empty())
    return reply(ApiStore::refusal(400, "BadRequest", "the object is not that of the URL"));
  ApiStore::ApplyRequest apply{query.get("fieldManager"), query.get("force") == "true",
                               query.get("dryRun") == "All"};
  return reply(store_.apply(body, apply));
}

HttpResponse ApiServer::remove(const HttpRequest& request, const kube::ObjectRef& ref) {
  const json::value* live = store_.find(ref);
  std::string uid = kube::text_at(json::parse(request.body), {"preconditions", "uid"});
  if (live && !uid.empty() && uid != kube::text_at(*live, {"metadata", "uid"}))
    return reply(
        ApiStore::refusal(409, "Conflict", "the UID in the precondition is not the object's"));
  return reply(store_.remove(ref));
}

Task<void> ApiServer::news(Instant until) {
  Executor executor = co_await boost::asio::this_coro::executor;
  auto event = std::make_shared<Event>(executor);
  waiting_.push_back(event);
  co_await wait_until(clock_, until, *event);
}

namespace {

json::object expired() {
  ApiAnswer gone = ApiStore::refusal(410, "Expired", "too old resource version");
  return {{"type", "ERROR"}, {"object", gone.body}};
}

json::object bookmark(const ServedKind& kind, uint64_t version) {
  return {{"type", "BOOKMARK"},
          {"object",
           {{"apiVersion", kind.api_version()},
            {"kind", kind.kind},
            {"metadata", {{"resourceVersion", std::to_string(version)}}}}}};
}

/// In the count of open watches for as long as it is one.
struct Counted {
  explicit Counted(size_t& number) : count(number) { ++count; }
  ~Counted() { --count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  size_t& count;
};

}  // namespace

Task<HttpResponse> ApiServer::watch(std::shared_ptr<ApiServer> self, HttpRequest request,
                                    std::string path, std::string query_text) {
  Query query(query_text);
  auto target = self->target_of(path);
  if (!target || !target->kind)
    co_return reply(
        ApiStore::refusal(404, "NotFound", "the server could not find the requested resource"));
  const ServedKind kind = *target->kind;
  std::string collection = kind.group + "/" + kind.plural;
  Counted counted(self->watches_);
  uint64_t connection = self->connections_;
  uint64_t seen = std::stoull(query.get("resourceVersion"));
  std::string seconds = query.get("timeoutSeconds");
  Instant end =
      self->clock_.now() +
      (seconds.empty() ? kWatchLongest : Duration(std::chrono::seconds(std::stoi(seconds))));
  auto frame = [&request](const json::object& object) {
    request.on_body(json::serialize(object) + "\n");
  };
  for (;;) {
    const auto& history = self->store_.history();
    bool too_old = seen < self->store_.oldest();
    if (too_old) {
      ++self->expirations_;
      frame(expired());
      co_return HttpResponse{200, {}, ""};
    }
    for (const ApiEvent& event : history) {
      if (event.version <= seen || event.collection != collection) continue;
      bool elsewhere = !target->name_space.empty() &&
                       kube::text_at(event.object, {"metadata", "namespace"}) != target->name_space;
      if (elsewhere || !query.selects(event.object)) continue;
      frame({{"type", event.type}, {"object", event.object}});
    }
    seen = std::max(seen, self->store_.version());
    if (self->clock_.now() >= end) co_return HttpResponse{200, {}, ""};
    Instant next = std::min(end, self->clock_.now() + kBookmarks);
    co_await self->news(next);
    if (connection != self->connections_)
      throw Error(ErrorClass::kTransient, "GET " + path + ": connection reset by peer");
    if (self->clock_.now() >= next) frame(bookmark(kind, seen));
  }
}

}  // namespace blackstart::sim
