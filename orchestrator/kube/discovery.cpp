#include "orchestrator/kube/discovery.h"

#include <algorithm>
#include <boost/json/array.hpp>

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr const char* kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
constexpr size_t kConcurrency = 16;

Task<json::value> fetch_json(Requester& requester, std::string path, std::string accept) {
  ApiRequest request{.path = path, .what = "ask the API server for its kinds (" + path + ")"};
  request.accept = std::move(accept);
  co_return co_await requester.fetch(std::move(request));
}

void read_group(const json::value& group, Discovery::Snapshot& snapshot) {
  const std::string name = text_at(group, {"metadata", "name"});
  for (const json::value& version : list_at(group, {"versions"})) {
    const std::string api_version =
        (name.empty() ? "" : name + "/") + text_at(version, {"version"});
    if (text_at(version, {"freshness"}) == "Stale") snapshot.silent.push_back(api_version);
    for (const json::value& resource : list_at(version, {"resources"})) {
      snapshot.resources.push_back({api_version, text_at(resource, {"responseKind", "kind"}),
                                    text_at(resource, {"resource"}),
                                    text_at(resource, {"scope"}) == "Namespaced"});
    }
  }
}

// What servers before 1.27, and many proxies, answer instead of the aggregated form.
std::vector<std::string> plain_versions(const json::value& answer) {
  std::vector<std::string> versions;
  for (const json::value& version : list_at(answer, {"versions"})) {
    if (version.is_string()) versions.emplace_back(version.get_string());
  }
  for (const json::value& group : list_at(answer, {"groups"})) {
    for (const json::value& version : list_at(group, {"versions"})) {
      versions.push_back(text_at(version, {"groupVersion"}));
    }
  }
  return versions;
}

Task<void> read_plain_version(Requester& requester, std::string api_version,
                              Discovery::Snapshot& snapshot) {
  const bool core = api_version.find('/') == std::string::npos;
  json::value answer;
  try {
    answer = co_await fetch_json(requester, (core ? "/api/" : "/apis/") + api_version,
                                 "application/json");
  } catch (const ApiError& error) {
    // One aggregated API server that is down must not hide all other kinds.
    if (error.status() == 0 || error.status() == 401) throw;
    snapshot.silent.push_back(api_version);
    co_return;
  }
  for (const json::value& resource : list_at(answer, {"resources"})) {
    const std::string plural = text_at(resource, {"name"});
    if (plural.find('/') != std::string::npos) continue;  // a subresource
    snapshot.resources.push_back(
        {api_version, text_at(resource, {"kind"}), plural, flag_at(resource, {"namespaced"})});
  }
}

Task<void> read_root(Requester& requester, std::string root, Discovery::Snapshot& snapshot) {
  const json::value answer = co_await fetch_json(requester, root, kAggregated);
  if (text_at(answer, {"kind"}) == "APIGroupDiscoveryList") {
    for (const json::value& group : list_at(answer, {"items"})) read_group(group, snapshot);
    co_return;
  }
  std::vector<std::function<Task<void>()>> tasks;
  for (const std::string& version : plain_versions(answer)) {
    tasks.push_back([&requester, version, &snapshot] {
      return read_plain_version(requester, version, snapshot);
    });
  }
  co_await run_all(requester.world().executor, std::move(tasks), kConcurrency);
}

// Ends a fetch however it ends, so that those who wait for it go on.
struct Fetching {
  bool& flag;
  Event& ended;
  Fetching(bool& f, Event& e) : flag(f), ended(e) {
    flag = true;
    ended.reset();
  }
  ~Fetching() {
    flag = false;
    ended.set();
  }
};

}  // namespace

Discovery::Discovery(Requester& requester)
    : requester_(requester), fetched_(requester.world().executor) {}

const Resource* Discovery::Snapshot::find(const std::string& api_version,
                                          const std::string& kind) const {
  auto wanted = [&](const Resource& r) { return r.kind == kind && r.api_version == api_version; };
  const auto found = std::ranges::find_if(resources, wanted);
  return found == resources.end() ? nullptr : &*found;
}

Task<void> Discovery::fetch() {
  Fetching fetching(fetching_, fetched_);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->number = ++started_;
  std::vector<std::function<Task<void>()>> roots;
  for (const char* root : {"/api", "/apis"}) {
    roots.push_back([this, root, snapshot] { return read_root(requester_, root, *snapshot); });
  }
  co_await run_all(requester_.world().executor, std::move(roots), 2);
  snapshot_ = std::move(snapshot);
}

Task<std::shared_ptr<const Discovery::Snapshot>> Discovery::newer_than(uint64_t number) {
  while (!snapshot_ || snapshot_->number <= number) {
    if (fetching_) {
      co_await fetched_.wait();
    } else {
      co_await fetch();
    }
  }
  co_return snapshot_;
}

Task<std::optional<Resource>> Discovery::find(std::string api_version, std::string kind) {
  const uint64_t before = started_;  // a later fetch has seen all that was there when we were asked
  auto snapshot = co_await newer_than(valid_from_);
  if (!snapshot->find(api_version, kind) && snapshot->number <= before)
    snapshot = co_await newer_than(std::max(before, valid_from_));
  if (const Resource* found = snapshot->find(api_version, kind)) co_return *found;
  if (std::ranges::count(snapshot->silent, api_version) > 0) {
    throw Error(ErrorClass::kTransient, "cannot tell whether the API server knows " + kind)
        .because("the API service behind " + api_version + " does not answer");
  }
  co_return std::nullopt;
}

Task<Kinds> Discovery::all() {
  auto snapshot = co_await newer_than(valid_from_);
  co_return *snapshot;
}

void Discovery::forget() { valid_from_ = started_; }

}  // namespace blackstart::kube
