#include "stages/helm/release_objects.h"

#include "orchestrator/kube/apply.h"
#include "orchestrator/kube/manifest.h"
#include "orchestrator/kube/surroundings.h"
#include "orchestrator/world/async.h"
#include "stages/argocd/handover.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

constexpr size_t kListsAtOnce = 8;

/// What may go away by itself once it has done its work.
bool passes(const json::value& wanted) {
  std::string kind = kube::text_at(wanted, {"kind"});
  return kind == "Pod" ||
         (kind == "Job" && kube::find(wanted, {"spec", "ttlSecondsAfterFinished"}) != nullptr);
}

const json::value* find_live(const std::vector<json::value>& live, const kube::ObjectRef& ref) {
  auto found = std::find_if(live.begin(), live.end(), [&](const json::value& object) {
    return kube::text_at(object, {"metadata", "name"}) == ref.name &&
           kube::text_at(object, {"metadata", "namespace"}) == ref.name_space;
  });
  return found == live.end() ? nullptr : &*found;
}

}  // namespace

Task<void> ReleaseObjects::set_manifest(std::shared_ptr<kube::Client> client, std::string manifest,
                                        std::string name_space, std::string source) {
  co_await watches_.stop();
  client_ = std::move(client);
  groups_.clear();
  Diagnostics diagnostics;
  kube::Manifests objects = kube::read_manifests(manifest, source, diagnostics);
  objects = co_await kube::with_namespace(*client_, std::move(objects), name_space);
  for (const kube::Manifest& wanted : objects) {
    kube::ObjectRef ref = wanted.ref();
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& candidate) {
      return candidate.selection.api_version == ref.api_version &&
             candidate.selection.kind == ref.kind &&
             candidate.selection.name_space == ref.name_space;
    });
    if (group == groups_.end()) {
      groups_.push_back({{ref.api_version, ref.kind, ref.name_space, "", ""}, {}, {}, false});
      group = groups_.end() - 1;
    }
    group->wanted.push_back(wanted.object);
  }
}

Task<void> ReleaseObjects::read(Group& group) {
  group.live.clear();
  if (kube::Informer* informer = watches_.find(group.selection)) {
    for (const json::value* item : informer->items()) group.live.push_back(*item);
    co_return;
  }
  const kube::Selection& selection = group.selection;
  auto list = co_await client_->list(selection.api_version, selection.kind, selection.name_space);
  if (list) group.live = std::move(list->items);
}

void ReleaseObjects::judge(Group& group, const kube::Surroundings& around,
                           ObjectsState& state) const {
  group.settled = true;
  for (const json::value& wanted : group.wanted) {
    kube::ObjectRef ref = kube::ref_of(wanted);
    const json::value* live = find_live(group.live, ref);
    if (live == nullptr) {
      if (!passes(wanted)) state.missing.push_back(ref);
      group.settled = group.settled && passes(wanted);
      continue;
    }
    state.trackers.insert(argocd::tracked_by(*live).value_or(""));
    kube::Readiness readiness = kube::readiness_of(*live, around);
    if (readiness.ready()) continue;
    group.settled = false;
    bool worst = state.unready.empty() || readiness.state > state.unready.front().second.state;
    if (worst) state.first_unready = *live;
    state.unready.insert(worst ? state.unready.begin() : state.unready.end(),
                         {ref, std::move(readiness)});
  }
}

Task<void> ReleaseObjects::read_unsettled() {
  std::vector<std::function<Task<void>()>> reads;
  for (Group& group : groups_) {
    if (!group.settled) reads.push_back([this, &group] { return read(group); });
  }
  co_await run_all(client_->world().executor, std::move(reads), kListsAtOnce);
}

Task<ObjectsState> ReleaseObjects::judge_all() {
  std::vector<const json::value*> live;
  for (const Group& group : groups_)
    for (const json::value& object : group.live) live.push_back(&object);
  const kube::Surroundings around = co_await kube::look_around(*client_, std::move(live));
  ObjectsState state;
  for (Group& group : groups_) judge(group, around, state);
  if (state.trackers.size() == 1) state.handed_over = *state.trackers.begin();
  co_return state;
}

Task<ObjectsState> ReleaseObjects::look() {
  co_await read_unsettled();
  ObjectsState state = co_await judge_all();
  if (state.ready()) {
    co_await watches_.stop();
    co_return state;
  }
  std::vector<kube::Selection> waiting;
  for (const Group& group : groups_) {
    if (!group.settled) waiting.push_back(group.selection);
  }
  co_await watches_.look_at(client_, std::move(waiting));
  // Judged again on what the watches start from, so that no change falls between the list and the
  // watch.
  co_await read_unsettled();
  co_return co_await judge_all();
}

bool ReleaseObjects::is_argocd() const {
  return std::any_of(groups_.begin(), groups_.end(), [](const Group& group) {
    return std::any_of(group.wanted.begin(), group.wanted.end(), [](const json::value& object) {
      return kube::text_at(object, {"metadata", "labels", "app.kubernetes.io/part-of"}) == "argocd";
    });
  });
}

}  // namespace blackstart::stages::helm
