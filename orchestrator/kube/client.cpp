#include "orchestrator/kube/client.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/discovery.h"
#include "orchestrator/kube/json.h"
#include "orchestrator/kube/requester.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kPage = 500;
constexpr size_t kPagesMost = 10'000;
constexpr int kRestartsMost = 3;  // of a list whose pages expire while it is read
constexpr size_t kLogBytes = 64u << 10;

// A kind that the server does not know, said as kubectl says it.
ApiError unknown_kind(const std::string& what, const ObjectRef& ref) {
  ApiError error(ErrorClass::kPermanent, "cannot " + what, 0, kNoMatch);
  error.because("no matches for kind \"" + ref.kind + "\" in version \"" + ref.api_version + "\"");
  const bool built_in = ref.group().find('.') == std::string::npos;
  error.hint(built_in ? "compare apiVersion and kind with those of kubectl api-resources"
                      : "its CustomResourceDefinition must be installed by an earlier stage");
  return error;
}

// Items of a list carry neither apiVersion nor kind for built-in kinds.
void take_items(json::value& page, std::vector<json::value>& items) {
  std::string kind = text_at(page, {"kind"});
  if (kind.ends_with("List")) kind.resize(kind.size() - 4);
  const std::string api_version = text_at(page, {"apiVersion"});
  json::value* list = page.is_object() ? page.get_object().if_contains("items") : nullptr;
  if (!list || !list->is_array()) return;
  for (json::value& item : list->get_array()) {
    if (item.is_object()) {
      item.get_object().emplace("apiVersion", api_version);
      item.get_object().emplace("kind", kind);
    }
    items.push_back(std::move(item));
  }
}

std::string delete_options(const std::string& uid, Dependents dependents) {
  json::object options{
      {"propagationPolicy", dependents == Dependents::kGo ? "Background" : "Orphan"}};
  if (!uid.empty()) options["preconditions"] = json::object{{"uid", uid}};
  return json::serialize(options);
}

// PEM differs in white space from file to file while the certificates are the same.
std::string certificates_only(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  std::string result;
  for (size_t begin; (begin = pem.find(kBegin)) != std::string_view::npos;) {
    pem.remove_prefix(begin + kBegin.size());
    const std::string_view body = pem.substr(0, pem.find("-----END"));
    for (const char character : body) {
      if (!isspace(static_cast<unsigned char>(character))) result += character;
    }
    result += '\n';
  }
  return result;
}

}  // namespace

std::string Identity::to_string() const {
  return uid + (ca_digest.empty() ? "" : " ca:" + ca_digest);
}

namespace {

// curl takes "." and ".." out of a path as RFC 3986 has it, and what is left names another thing: a
// collection, a namespace. The server allows neither as a name.
std::string segment(std::string_view name) {
  if (name == "." || name == "..")
    throw Error(ErrorClass::kUsage, "no object is called '" + std::string(name) + "'");
  return percent_encode(name);
}

}  // namespace

std::string path_of(const Resource& resource, std::string_view name_space, std::string_view name) {
  const bool core = resource.api_version.find('/') == std::string::npos;
  std::string path = (core ? "/api/" : "/apis/") + resource.api_version;
  if (resource.namespaced && !name_space.empty()) path += "/namespaces/" + segment(name_space);
  path += '/' + resource.plural;
  if (!name.empty()) path += '/' + segment(name);
  return path;
}

struct Client::State {
  State(World& world, Endpoint endpoint)
      : requester(world, std::move(endpoint)), discovery(requester) {}
  Requester requester;
  Discovery discovery;

  // Where an object lives; an unknown kind throws.
  Task<std::string> path_to(ObjectRef ref, std::string what) {
    auto resource = co_await discovery.find(ref.api_version, ref.kind);
    if (!resource) throw unknown_kind(what, ref);
    co_return path_of(*resource, ref.name_space, ref.name);
  }
};

Client::Client(World& world, Endpoint endpoint)
    : state_(std::make_unique<State>(world, std::move(endpoint))) {}
Client::~Client() = default;

const Endpoint& Client::endpoint() const { return state_->requester.endpoint(); }
World& Client::world() { return state_->requester.world(); }
std::vector<std::string> Client::take_warnings() { return state_->requester.take_warnings(); }
void Client::forget_discovery() { state_->discovery.forget(); }

Task<std::optional<Resource>> Client::resource(std::string api_version, std::string kind) {
  return state_->discovery.find(std::move(api_version), std::move(kind));
}
Task<Kinds> Client::kinds() { return state_->discovery.all(); }

Task<std::optional<json::value>> Client::get_path(std::string path) {
  ApiRequest request{.path = path, .what = "get " + path};
  try {
    co_return co_await state_->requester.fetch(request);
  } catch (const ApiError& error) {
    if (error.status() != 404) throw;
  }
  co_return std::nullopt;
}

Task<std::optional<json::value>> Client::get(ObjectRef ref) {
  auto resource = co_await state_->discovery.find(ref.api_version, ref.kind);
  if (!resource) co_return std::nullopt;
  ApiRequest request{.path = path_of(*resource, ref.name_space, ref.name),
                     .what = "get " + ref.to_string()};
  try {
    co_return co_await state_->requester.fetch(request);
  } catch (const ApiError& error) {
    if (error.status() != 404) throw;
  }
  co_return std::nullopt;
}

Task<std::optional<Client::List>> Client::list(std::string api_version, std::string kind,
                                               std::string name_space, std::string label_selector) {
  auto resource = co_await state_->discovery.find(api_version, kind);
  if (!resource) co_return std::nullopt;
  const std::string query =
      label_selector.empty() ? "" : "labelSelector=" + percent_encode(label_selector);
  co_return co_await list_path(path_of(*resource, name_space, ""), query);
}

namespace {

// How far a list has come that is read page by page.
struct Pages {
  Client::List list;
  std::string next = {};  // where the next page begins
  size_t limit = kPage;
  int restarts = 0;

  std::string query() const { return "limit=" + std::to_string(limit) + next; }
  void take(json::value page);
  bool adapt(const ApiError& error);
};

void Pages::take(json::value page) {
  take_items(page, list.items);
  list.resource_version = text_at(page, {"metadata", "resourceVersion"});
  const std::string token = text_at(page, {"metadata", "continue"});
  next = token.empty() ? "" : "&continue=" + percent_encode(token);
}

// Whether the list can go on in another way.
bool Pages::adapt(const ApiError& error) {
  if (error.reason() == kTooLarge && limit > 1) {
    limit /= 2;
    return true;
  }
  // The snapshot that the pages come from was compacted away: from the beginning.
  if (error.status() != 410 || next.empty() || ++restarts > kRestartsMost) return false;
  list = {};
  next.clear();
  return true;
}

}  // namespace

Task<Client::List> Client::list_path(std::string path, std::string query) {
  const std::string base = path + '?' + query + (query.empty() ? "" : "&");
  Pages pages;
  for (size_t request_count = 0; request_count < kPagesMost; ++request_count) {
    ApiRequest request{.path = base + pages.query(), .what = "list " + path};
    try {
      json::value page = co_await state_->requester.fetch(request);
      pages.take(std::move(page));
    } catch (const ApiError& error) {
      if (!pages.adapt(error)) throw;
      continue;
    }
    if (pages.next.empty()) co_return std::move(pages.list);
  }
  throw Error(ErrorClass::kPermanent, "cannot list " + path).because("the list does not end");
}

Task<json::value> Client::apply(json::value object, ApplyOptions options) {
  const ObjectRef ref = ref_of(object);
  ApiRequest request{.method = "PATCH",
                     .what = (options.dry_run ? "try " : "apply ") + ref.to_string()};
  if (ref.name.empty())
    throw Error(ErrorClass::kUsage, "cannot apply a " + ref.kind + " without a name");
  request.path = co_await state_->path_to(ref, request.what);
  request.path += "?fieldManager=" + percent_encode(options.field_manager);
  request.path += options.force ? "&force=true" : "&force=false";
  request.path += "&fieldValidation=Strict";  // as kubectl: an unknown field is an error
  if (options.dry_run) request.path += "&dryRun=All";
  request.content_type = "application/apply-patch+yaml";  // JSON is YAML
  request.body = json::serialize(desired_form(std::move(object)));
  co_return co_await state_->requester.fetch(std::move(request));
}

Task<json::value> Client::merge_patch(ObjectRef ref, json::value patch) {
  ApiRequest request{.method = "PATCH", .what = "patch " + ref.to_string()};
  request.path = co_await state_->path_to(ref, request.what) + "?fieldManager=blackstart";
  request.content_type = "application/merge-patch+json";
  request.body = json::serialize(patch);
  request.repeatable = false;
  co_return co_await state_->requester.fetch(std::move(request));
}

Task<bool> Client::remove(ObjectRef ref, std::string uid, Dependents dependents) {
  auto resource = co_await state_->discovery.find(ref.api_version, ref.kind);
  if (!resource) co_return false;
  ApiRequest request{.method = "DELETE", .what = "delete " + ref.to_string()};
  request.path = path_of(*resource, ref.name_space, ref.name);
  request.content_type = "application/json";
  request.body = delete_options(uid, dependents);
  std::optional<ApiError> conflict;
  try {
    co_await state_->requester.send(std::move(request));
  } catch (const ApiError& error) {
    if (error.status() == 404) co_return false;
    if (error.status() != 409 || uid.empty()) throw;
    conflict = error;
  }
  if (!conflict) co_return true;
  const auto now = co_await get(ref);  // another one of that name, or why else?
  if (now && text_at(*now, {"metadata", "uid"}) == uid) throw *conflict;
  co_return false;
}

Task<Identity> Client::identity() {
  ObjectRef name_space{"v1", "Namespace", "", "kube-system"};
  auto found = co_await get(std::move(name_space));
  const std::string uid = found ? text_at(*found, {"metadata", "uid"}) : "";
  if (uid.empty()) {
    throw Error(ErrorClass::kTransient, "cannot tell which cluster answers at " + endpoint().server)
        .because("it has no namespace kube-system yet");
  }
  const auto& tls = endpoint().tls;
  const std::string ca = tls ? certificates_only(tls->ca) : "";
  co_return Identity{uid, ca.empty() ? "" : sha256_hex(ca)};
}

Task<std::string> Client::server_version() {
  ApiRequest request{.path = "/version", .what = "ask the API server for its version"};
  const json::value version = co_await state_->requester.fetch(std::move(request));
  co_return text_at(version, {"gitVersion"});
}

Task<bool> Client::is_ready(std::string* reason) {
  ApiRequest request{
      .path = "/readyz", .what = "ask the API server whether it is ready", .accept = "*/*"};
  request.retried = false;
  try {
    co_await state_->requester.send(std::move(request));
  } catch (const ApiError& error) {
    if (error.error_class() == ErrorClass::kAuthentication) throw;
    if (reason) *reason = error.causes().empty() ? error.summary() : error.causes().front();
    co_return false;
  }
  co_return true;
}

Task<std::string> Client::log_tail(ObjectRef pod, std::string container, bool previous, int lines) {
  const Resource pods{"v1", "Pod", "pods", true};
  ApiRequest request{
      .what = "read the log of " + pod.to_string(), .accept = "*/*", .retried = false};
  request.path = path_of(pods, pod.name_space, pod.name) +
                 "/log?container=" + percent_encode(container) +
                 "&previous=" + (previous ? "true" : "false") +
                 "&tailLines=" + std::to_string(lines) + "&limitBytes=" + std::to_string(kLogBytes);
  try {
    HttpResponse response = co_await state_->requester.send(std::move(request));
    co_return std::move(response.body);
  } catch (const ApiError&) {
    // No log: it never ran, or its node has no kubelet that could be asked.
  }
  co_return std::string();
}

Task<void> Client::stream(std::string path_and_query, Duration longest,
                          std::function<void(std::string_view)> on_line) {
  ApiRequest request{.path = path_and_query,
                     .what = "watch " + path_and_query.substr(0, path_and_query.find('?'))};
  co_await state_->requester.stream(std::move(request), longest, std::move(on_line));
}

}  // namespace blackstart::kube
