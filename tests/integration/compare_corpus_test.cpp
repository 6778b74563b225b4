// "Nothing to do" against the truth, over a corpus of objects and edits: what compare() says, and
// what the walk over managedFields proves without asking, beside what an apply then really changes.
// A needed change that is called nothing fails the test; needless requests are counted.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "orchestrator/kube/managed_fields.h"
#include "orchestrator/kube/requester.h"
#include "orchestrator/world/async.h"
#include "tests/integration/edits.h"
#include "tests/integration/real_cluster.h"
#include "tests/integration/support/watched_http.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;
using kube::Presence;

constexpr size_t kAtOnce = 8;
constexpr size_t kNeedlessOfTen = 4;
constexpr size_t kSampled = 9;  // every so many cases, unless BLACKSTART_CORPUS is set

// Who edits what before we compare.
enum class Editing {
  kOurs,           // our manifest was edited since it was applied
  kForeignUpdate,  // somebody changed the object, as `kubectl edit` does
  kOwnUpdate,      // the same under our own name
  kForeignApply,   // another manager applied the edited object and took our fields over
};

struct Case {
  std::string name;
  json::value original;
  json::value edited;
  Editing editing;
};

struct Count {
  size_t cases = 0, refused_edits = 0;
  size_t same = 0, changed = 0, refused = 0;  // what applying did
  size_t missed = 0;                          // said to be the same, and changed
  size_t wrong = 0;                           // said to differ, and nothing changed
  size_t needless = 0;                        // asked the server, and it was the same
};

class CompareCorpus : public OnRealCluster {
 protected:
  void SetUp() override {
    OnRealCluster::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    apply(read(read_file(folder() + "things.yaml")));
    requester_ = std::make_unique<kube::Requester>(client().world(), client().endpoint());
    http_ = std::make_unique<WatchedHttp>(client().world().http);
    world_.emplace(with_http(client().world(), *http_));
    comparing_ = std::make_unique<kube::Client>(*world_, client().endpoint());
  }
  void TearDown() override {
    comparing_.reset();
    OnRealCluster::TearDown();
  }

  /// Was the server asked to judge the object of that name?
  bool was_tried(const std::string& name) const {
    return std::ranges::any_of(http_->seen(), [&name](const WatchedHttp::Seen& one) {
      return one.method == "PATCH" && one.url.find("/" + name + "?") != std::string::npos;
    });
  }

  static std::string folder() { return std::string(SOURCE_FOLDER) + "/tests/integration/corpus/"; }

  std::vector<Case> all_cases();
  Task<void> judged(Case one, size_t number);
  Task<void> judge(Case one, size_t number);
  Task<void> edit_in_cluster(const Case& one, const json::value& original,
                             const json::value& edited);
  Task<void> judge_live(Case one, json::value wanted, kube::ObjectRef ref);
  json::value named(json::value object, const std::string& name);

  Count count_;
  std::unique_ptr<kube::Requester> requester_;
  std::unique_ptr<WatchedHttp> http_;
  std::optional<World> world_;
  std::unique_ptr<kube::Client> comparing_;
};

std::vector<Case> CompareCorpus::all_cases() {
  std::vector<Case> cases;
  for (const kube::Manifest& manifest : read(read_file(folder() + "objects.yaml"))) {
    const std::string kind = manifest.ref().kind;
    for (Edit& edit : edits_of(manifest.object)) {
      const std::string name = kind + ": " + edit.name;
      cases.push_back({"ours, " + name, manifest.object, edit.edited, Editing::kOurs});
      cases.push_back(
          {"foreign update, " + name, manifest.object, edit.edited, Editing::kForeignUpdate});
      cases.push_back({"own update, " + name, manifest.object, edit.edited, Editing::kOwnUpdate});
      cases.push_back(
          {"foreign apply, " + name, manifest.object, edit.edited, Editing::kForeignApply});
    }
  }
  return cases;
}

json::value CompareCorpus::named(json::value object, const std::string& name) {
  json::object& metadata = object.at("metadata").as_object();
  metadata["name"] = name;
  return object;
}

// A merge patch that makes one of the other: what a person who edits the live object sends.
json::value difference(const json::value& from, const json::value& to) {
  if (!from.is_object() || !to.is_object()) return to;
  json::object patch;
  for (const auto& [name, value] : to.get_object()) {
    const json::value* old = from.get_object().if_contains(name);
    if (!old || *old != value) patch[name] = old ? difference(*old, value) : value;
  }
  for (const auto& [name, value] : from.get_object())
    if (!to.get_object().contains(name)) patch[name] = nullptr;
  return patch;
}

Task<void> CompareCorpus::edit_in_cluster(const Case& one, const json::value& original,
                                          const json::value& edited) {
  if (one.editing == Editing::kForeignApply) {
    const kube::Client::ApplyOptions options("another", true);
    co_await client().apply(edited, options);
    co_return;
  }
  const kube::ObjectRef ref = kube::ref_of(original);
  const auto resource = co_await client().resource(ref.api_version, ref.kind);
  kube::ApiRequest request;
  request.method = "PATCH";
  request.path = kube::path_of(*resource, ref.name_space, ref.name) + "?fieldManager=" +
                 (one.editing == Editing::kOwnUpdate ? "blackstart" : "somebody");
  request.what = "edit " + ref.to_string();
  request.content_type = "application/merge-patch+json";
  request.body = json::serialize(difference(original, edited));
  co_await requester_->send(request);
}

// All of an object that an apply of ours may move: without what its controllers write meanwhile.
// Nor does a time stamp count: the server renews it, and nothing else, when the same custom
// resource with a defaulted list key is applied twice.
std::string content(json::value object) {
  object.as_object().erase("status");
  json::object& metadata = object.at("metadata").as_object();
  metadata.erase("resourceVersion");
  json::array entries;
  for (json::value entry : kube::list_at(object, {"metadata", "managedFields"})) {
    entry.as_object().erase("time");
    const bool controller = kube::text_at(entry, {"manager"}) == "kube-controller-manager";
    if (!controller && kube::text_at(entry, {"subresource"}).empty()) entries.push_back(entry);
  }
  metadata["managedFields"] = std::move(entries);
  json::value* annotations = metadata.if_contains("annotations");
  if (annotations) annotations->as_object().erase("deployment.kubernetes.io/revision");
  if (annotations && annotations->as_object().empty()) metadata.erase("annotations");
  return json::serialize(object);
}

Task<void> CompareCorpus::judge_live(Case one, json::value wanted, kube::ObjectRef ref) {
  const kube::Manifests set{{wanted, {}}};
  const json::value before = *co_await client().get(ref);
  const bool proven =
      kube::unproven_fields(kube::desired_form(wanted), before, "blackstart", 1).empty();
  const auto states = co_await kube::compare(*comparing_, set, name_space(), "blackstart");
  const bool said_same = states[0].presence == Presence::kSame;
  std::optional<bool> changed;
  std::string difference;
  try {
    const kube::Client::ApplyOptions options("blackstart", true);
    const json::value after = co_await client().apply(wanted, options);
    changed = content(after) != content(before);
    if (*changed) difference = content(before) + "\nand then\n" + content(after);
  } catch (const kube::ApiError& error) {
    if (error.status() / 100 != 4 && error.status() != 500) throw;
  }
  ++(!changed ? count_.refused : *changed ? count_.changed : count_.same);
  const bool nothing_to_do = changed && !*changed;
  if ((said_same || proven) && !nothing_to_do) {
    ++count_.missed;
    ADD_FAILURE() << one.name << " is called nothing and is "
                  << (changed ? "a change: " : "refused") << difference;
  }
  if (!said_same && nothing_to_do) {
    ++count_.wrong;
    ADD_FAILURE() << one.name << " is nothing and called a change: " << states[0].fields.front();
  }
  EXPECT_FALSE(proven && was_tried(ref.name)) << one.name << " was proven, and asked for";
  if (nothing_to_do && !proven) {
    EXPECT_TRUE(was_tried(ref.name)) << one.name;
    ++count_.needless;
    if (getenv("BLACKSTART_CORPUS")) std::printf("needless: %s\n", one.name.c_str());
  }
}

Task<void> CompareCorpus::judge(Case one, size_t number) {
  const std::string name = "o" + std::to_string(number);
  const kube::Manifests both{{named(one.original, name), {}}, {named(one.edited, name), {}}};
  const kube::Manifests placed = co_await kube::with_namespace(client(), both, name_space());
  const json::value original = placed[0].object;
  const json::value edited = placed[1].object;
  const kube::Client::ApplyOptions plain;
  co_await client().apply(original, plain);
  ++count_.cases;
  bool refused = false;
  if (one.editing != Editing::kOurs) {
    try {
      co_await edit_in_cluster(one, original, edited);
    } catch (const kube::ApiError& error) {
      if (error.status() / 100 != 4 && error.status() != 500) throw;
      refused = true;  // an edit that the server does not take is none
    }
  }
  count_.refused_edits += refused;
  const kube::ObjectRef ref = kube::ref_of(original);
  if (!refused) co_await judge_live(one, one.editing == Editing::kOurs ? edited : original, ref);
  co_await client().remove(ref);
}

// One case that cannot be judged must not hide the others.
Task<void> CompareCorpus::judged(Case one, size_t number) {
  const std::string name = one.name;
  try {
    co_await judge(std::move(one), number);
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    ADD_FAILURE() << name << ": " << error.full_text();
  }
}

TEST_F(CompareCorpus, NeverCallsANeededChangeNothing) {
  const std::vector<Case> cases = all_cases();
  const size_t step = getenv("BLACKSTART_CORPUS") ? 1 : kSampled;
  std::vector<std::function<Task<void>()>> tasks;
  for (size_t i = 0; i < cases.size(); i += step)
    tasks.push_back([this, &cases, i] { return judged(cases[i], i); });
  run(run_all(client().world().executor, std::move(tasks), kAtOnce));
  std::printf(
      "of %zu cases: %zu edits refused; %zu nothing to do, %zu changes, %zu applies refused; "
      "missed %zu, wrong %zu, needless requests %zu\n",
      count_.cases, count_.refused_edits, count_.same, count_.changed, count_.refused,
      count_.missed, count_.wrong, count_.needless);
  // Quantities written otherwise, defaults inside of atomic lists, nulls.
  EXPECT_LE(count_.needless, count_.same * kNeedlessOfTen / 10);
  EXPECT_GT(count_.same, count_.cases / 20);
  EXPECT_GT(count_.changed, count_.cases / 4);
}

// `wanted` as the server writes it: its quantities, all that it puts into what is owned as a whole;
// no nulls, and no status, which the server does not take here.
json::value canonical(const json::value& wanted, const json::value& live) {
  if (!wanted.is_object() || !live.is_object()) return live;
  json::object result;
  for (const auto& [name, value] : wanted.get_object()) {
    const json::value* there = live.get_object().if_contains(name);
    if (there == nullptr || value.is_null() || name == "status") continue;
    const bool whole = name == "matchConstraints";  // x-kubernetes-map-type: atomic
    result[name] = whole ? *there : canonical(value, *there);
  }
  return result;
}

TEST_F(CompareCorpus, ObjectsAsTheServerWritesThem_AreProvenWithoutAsking) {
  size_t number = 0;
  for (const kube::Manifest& manifest : read(read_file(folder() + "objects.yaml"))) {
    const std::string name = "c" + std::to_string(++number);
    const kube::Manifests set{{named(manifest.object, name), {}}};
    const json::value original =
        result(kube::with_namespace(client(), set, name_space()))[0].object;
    SCOPED_TRACE(kube::ref_of(original).to_string());
    const json::value live = result(client().apply(original, kube::Client::ApplyOptions()));
    const json::value wanted = canonical(original, live);
    const kube::Client::ApplyOptions forced("blackstart", true);
    result(client().apply(wanted, forced));
    const kube::Manifests again{{wanted, {}}};
    const auto states = result(kube::compare(*comparing_, again, name_space(), "blackstart"));
    EXPECT_EQ(states[0].presence, Presence::kSame);
    EXPECT_FALSE(was_tried(name)) << testing::PrintToString(
        kube::unproven_fields(kube::desired_form(wanted), states[0].live, "blackstart", 100));
    result(client().remove(kube::ref_of(original)));
  }
  EXPECT_GT(number, 30u);
}

}  // namespace
}  // namespace blackstart::test
