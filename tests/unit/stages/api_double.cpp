#include "tests/unit/stages/api_double.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"
#include "tests/unit/kube/scripted_world.h"

namespace blackstart::stages {

namespace json = boost::json;

namespace {

std::string path_of(const std::string& url) {
  std::string path = url.substr(std::string("https://api").size());
  return path.substr(0, path.find('?'));
}

std::string query_of(const std::string& url) {
  size_t mark = url.find('?');
  return mark == url.npos ? "" : url.substr(mark + 1);
}

void merge(json::value& into, const json::value& from) {
  if (!into.is_object() || !from.is_object()) {
    into = from;
    return;
  }
  for (const auto& [key, value] : from.get_object()) merge(into.get_object()[key], value);
}

HttpResponse ok(const json::value& value) {
  return kube::json_response(200, json::serialize(value));
}

HttpResponse not_found(const std::string& path) {
  return kube::status_response(404, "NotFound", path + " not found");
}

/// The path's last part is a name when what is before it names a collection.
bool names_object(const std::string& path) {
  auto parts = split(path, '/');  // "", "api", "v1", … or "", "apis", GROUP, VERSION, …
  size_t first = parts.size() > 1 && parts[1] == "api" ? 3 : 4;
  size_t rest = parts.size() - std::min(parts.size(), first);
  bool namespaced = rest >= 3 && parts[first] == "namespaces";
  return namespaced ? rest == 4 : rest == 2;
}

std::string decoded(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escaped = text[i] == '%' && i + 2 < text.size();
    result += escaped ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (escaped) i += 2;
  }
  return result;
}

/// "a=b,c!=d"
bool has_labels(const json::value& object, const std::string& selector) {
  for (const std::string& term : split(selector, ',')) {
    size_t equals = term.find('=');
    bool unequal = equals > 0 && term[equals - 1] == '!';
    std::string key = term.substr(0, unequal ? equals - 1 : equals);
    bool same = kube::text_at(object, {"metadata", "labels", key}) == term.substr(equals + 1);
    if (same == unequal) return false;
  }
  return true;
}

bool selected(const json::value& object, const std::string& query) {
  for (const std::string& part : split(query, '&')) {
    std::string labels = "labelSelector=";
    if (part.starts_with(labels) && !has_labels(object, decoded(part.substr(labels.size()))))
      return false;
    std::string field = "fieldSelector=metadata.name%3D";
    if (part.starts_with(field) &&
        kube::text_at(object, {"metadata", "name"}) != part.substr(field.size()))
      return false;
  }
  return true;
}

json::object& metadata_of(json::value& object) {
  json::value& metadata = object.as_object()["metadata"];
  return metadata.is_object() ? metadata.get_object() : metadata.emplace_object();
}

/// An entry's time is that of its manager's last write.
void note_write(json::object& metadata, const std::string& manager, const std::string& time) {
  json::value& entries = metadata["managedFields"];
  if (!entries.is_array()) entries = json::array();
  for (json::value& entry : entries.get_array()) {
    if (kube::text_at(entry, {"manager"}) != manager) continue;
    entry.as_object()["time"] = time;
    return;
  }
  entries.get_array().push_back(
      json::object{{"manager", manager}, {"operation", "Apply"}, {"time", time}});
}

std::string manager_of(const std::string& query) {
  for (const std::string& part : split(query, '&'))
    if (part.starts_with("fieldManager=")) return part.substr(part.find('=') + 1);
  return "blackstart";
}

}  // namespace

bool ApiDouble::serves(const std::string& url) {
  std::string path = path_of(url);
  return path == "/readyz" || path == "/version" || path.starts_with("/api/v1/") ||
         (path.starts_with("/apis/") && split(path, '/').size() > 4);
}

Task<HttpResponse> ApiDouble::send(HttpRequest request) {
  std::string path = path_of(request.url);
  std::string query = query_of(request.url);
  if (path == "/readyz")
    co_return ready ? kube::json_response(200, "ok")
                    : kube::status_response(500, "InternalError", "etcd is not there");
  if (path == "/version") co_return kube::json_response(200, R"({"gitVersion":"v1.36.3"})");
  bool dry_run = query.find("dryRun=All") != query.npos;
  if (request.method != "GET" && !dry_run) writes.push_back(request.method + " " + path);
  if (request.method == "PATCH") co_return answer_patch(path, request, dry_run);
  if (request.method == "DELETE") co_return remove(path, request);
  if (query.find("watch=true") != query.npos) co_return co_await watch(path, std::move(request));
  if (!names_object(path)) co_return list(path, query);
  json::value* found = find(path);
  co_return found ? ok(*found) : not_found(path);
}

json::value* ApiDouble::find(const std::string& path) {
  auto found = objects_.find(path);
  return found == objects_.end() ? nullptr : &found->second.object;
}

std::string ApiDouble::next_second() {
  WallTime start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  return format_utc(start + std::chrono::seconds(++writes_)).substr(0, 19) + "Z";
}

void ApiDouble::put(const std::string& path, json::value object) {
  std::string time = next_second();
  json::object& metadata = metadata_of(object);
  if (!metadata.contains("managedFields")) note_write(metadata, manager, time);
  store(path, std::move(object), time);
}

void ApiDouble::store(const std::string& path, json::value object, const std::string& time) {
  json::object& metadata = metadata_of(object);
  metadata["name"] = path.substr(path.rfind('/') + 1);
  auto parts = split(path, '/');
  for (size_t i = 0; i + 3 < parts.size(); ++i)
    if (parts[i] == "namespaces") metadata["namespace"] = parts[i + 1];
  if (!metadata.contains("uid")) metadata["uid"] = "uid-" + std::to_string(++uids_);
  if (!metadata.contains("creationTimestamp")) metadata["creationTimestamp"] = time;
  metadata["resourceVersion"] = std::to_string(++version_);
  objects_[path] = {std::move(object), version_};
  wake();
}

void ApiDouble::erase(const std::string& path) {
  objects_.erase(path);
  ++version_;
  wake();
}

HttpResponse ApiDouble::remove(const std::string& path, const HttpRequest& request) {
  const json::value* live = find(path);
  if (!live) return not_found(path);
  std::string uid = kube::text_at(json::parse(request.body), {"preconditions", "uid"});
  if (!uid.empty() && uid != kube::text_at(*live, {"metadata", "uid"}))
    return kube::status_response(409, "Conflict", "the UID in the precondition is another one");
  erase(path);
  return kube::json_response(200, "{}");
}

json::value ApiDouble::merged(const std::string& path, const json::value& wanted) {
  json::value* live = find(path);
  json::value after = live ? *live : json::value(json::object());
  merge(after, wanted);
  if (on_apply) on_apply(after.as_object());
  return after;
}

void ApiDouble::apply(const std::string& path, const json::value& wanted, const std::string& by) {
  json::value after = merged(path, wanted);
  json::value* live = find(path);
  if (live && after == *live) return;
  std::string time = next_second();
  note_write(metadata_of(after), by, time);
  store(path, std::move(after), time);
}

HttpResponse ApiDouble::answer_patch(const std::string& path, const HttpRequest& request,
                                     bool dry_run) {
  json::value wanted = json::parse(request.body);
  if (dry_run) return ok(merged(path, wanted));
  const json::value* live = find(path);
  std::string version = kube::text_at(wanted, {"metadata", "resourceVersion"});
  if (live && !version.empty() && version != kube::text_at(*live, {"metadata", "resourceVersion"}))
    return kube::status_response(409, "Conflict", "the object has been modified");
  apply(path, wanted, manager_of(query_of(request.url)));
  return ok(*find(path));
}

bool ApiDouble::belongs(const std::string& path, const std::string& collection) {
  if (path.starts_with(collection + "/"))
    return split(path, '/').size() == split(collection, '/').size() + 1;
  // A list over all namespaces: /apis/apps/v1/deployments has
  // /apis/apps/v1/namespaces/a/deployments/b.
  size_t slash = collection.rfind('/');
  std::string inside = collection.substr(0, slash) + "/namespaces/";
  auto parts = split(path, '/');
  return path.starts_with(inside) && parts.size() > 2 &&
         parts[parts.size() - 2] == collection.substr(slash + 1);
}

HttpResponse ApiDouble::list(const std::string& collection, const std::string& query) const {
  json::array items;
  for (const auto& [path, stored] : objects_)
    if (belongs(path, collection) && selected(stored.object, query)) items.push_back(stored.object);
  return ok(json::object{{"kind", "List"},
                         {"metadata", {{"resourceVersion", std::to_string(version_)}}},
                         {"items", std::move(items)}});
}

void ApiDouble::wake() {
  for (Event* event : watching_) event->set();
}

Task<HttpResponse> ApiDouble::watch(std::string collection, HttpRequest request) {
  const std::string query = query_of(request.url);
  uint64_t seen = version_;
  std::map<std::string, uint64_t> known;
  for (const auto& [path, stored] : objects_)
    if (belongs(path, collection)) known[path] = stored.version;
  Event news(executor_);
  watching_.insert(&news);
  auto leave = [this](Event* event) { watching_.erase(event); };
  std::unique_ptr<Event, decltype(leave)> leaving(&news, leave);
  for (;;) {
    news.reset();
    while (seen == version_) {
      co_await news.wait();
      news.reset();
    }
    seen = version_;
    for (const auto& [path, stored] : objects_) {
      if (!belongs(path, collection) || known[path] == stored.version) continue;
      known[path] = stored.version;
      if (!selected(stored.object, query)) continue;
      request.on_body(
          json::serialize(json::object{{"type", "MODIFIED"}, {"object", stored.object}}) + "\n");
    }
  }
}

}  // namespace blackstart::stages
