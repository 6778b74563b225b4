#include <boost/json/array.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/apply.h"
#include "orchestrator/kube/layers.h"
#include "orchestrator/kube/watch.h"
#include "orchestrator/world/async.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kConcurrency = 16;
constexpr Duration kGoneWithin = std::chrono::minutes(10);

std::string finalizers_of(const json::value& object) {
  std::vector<std::string> names;
  for (const char* owner : {"metadata", "spec"}) {  // a namespace has its own under spec
    for (const json::value& name : list_at(object, {owner, "finalizers"})) {
      if (name.is_string()) names.emplace_back(name.get_string());
    }
  }
  return join(names, ", ");
}

// Gone, or another object of that name: somebody made it anew.
Task<void> wait_gone(Client& client, ObjectRef ref, std::string uid, const HeldUp& on_held) {
  const Selection selection{ref.api_version, ref.kind, ref.name_space, ref.name, ""};
  auto finalizers = std::make_shared<std::string>();
  const std::function<bool(const json::value*)> gone = [&](const json::value* seen) {
    if (!seen || text_at(*seen, {"metadata", "uid"}) != uid) return true;
    *finalizers = finalizers_of(*seen);
    if (on_held && !finalizers->empty()) on_held(ref, *finalizers);
    return false;
  };
  bool late = false;
  try {
    co_await watch_until(client, selection, kGoneWithin, "", gone);
  } catch (const Error& error) {
    late = error.error_class() == ErrorClass::kDeadline;
    if (!late) throw;
  }
  if (!late) co_return;
  Error error(ErrorClass::kVerification,
              ref.to_string() + " is still there after " + format_duration(kGoneWithin));
  if (!finalizers->empty()) error.because("it is held by its finalizers: " + *finalizers);
  throw error.hint(
      "see what the controller behind the finalizer waits for; it must run while things are "
      "removed");
}

Task<void> remove_one(Client& client, ObjectRef ref, std::string uid, Dependents dependents,
                      const HeldUp& on_held) {
  const bool removed = co_await client.remove(ref, uid, dependents);
  if (removed) co_await wait_gone(client, ref, uid, on_held);
}

// A StatefulSet's pods are adopted by the new one, which replaces them one by one; and claims that
// it would take along (persistentVolumeClaimRetentionPolicy) stay.
Dependents dependents_of(const ObjectRef& ref, bool comes_again) {
  return comes_again && ref.kind == "StatefulSet" ? Dependents::kStay : Dependents::kGo;
}

}  // namespace

Task<void> remove_set(Client& client, Manifests live, HeldUp on_held, bool come_again) {
  auto layers = layers_of(live);
  std::ranges::reverse(layers);
  for (const auto& layer : layers) {
    std::vector<std::function<Task<void>()>> tasks;
    for (const size_t index : layer) {
      const ObjectRef ref = live[index].ref();
      const std::string uid = text_at(live[index].object, {"metadata", "uid"});
      const Dependents dependents = dependents_of(ref, come_again);
      tasks.push_back([&client, ref, uid, dependents, &on_held] {
        return remove_one(client, ref, uid, dependents, on_held);
      });
    }
    co_await run_all(client.world().executor, std::move(tasks), kConcurrency);
  }
  client.forget_discovery();
}

}  // namespace blackstart::kube
