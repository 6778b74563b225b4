#include "stages/kube/leftovers.h"

#include <algorithm>

#include "orchestrator/kube/immutable.h"
#include "orchestrator/world/async.h"
#include "stages/kube/objects.h"
#include "stages/kube/siblings.h"

namespace blackstart::stages {
namespace {

constexpr size_t kConcurrency = 16;

std::string uid_of(const boost::json::value& object) {
  return kube::text_at(object, {"metadata", "uid"});
}

std::set<kube::ObjectRef> names_of(const std::vector<kube::ObjectState>& states) {
  std::set<kube::ObjectRef> names;
  for (const auto& state : states) names.insert(state.ref.without_version());
  return names;
}

std::map<kube::ObjectRef, Applied> by_identity(const std::vector<Applied>& memory) {
  std::map<kube::ObjectRef, Applied> result;
  for (const Applied& one : memory) result.emplace(one.ref.without_version(), one);
  return result;
}

/// Who took it over since, by the marks that they put on what is theirs; empty = nobody.
std::string adopted_by(const boost::json::value& object) {
  auto annotation = [&object](const char* key) {
    return kube::text_at(object, {"metadata", "annotations", key});
  };
  if (!annotation("argocd.argoproj.io/tracking-id").empty()) return "Argo CD";
  std::string release = annotation("meta.helm.sh/release-name");
  return release.empty() ? "" : "Helm release " + release;
}

}  // namespace

void Leftovers::clear() {
  memory_.clear();
  to_go_.clear();
  left_.clear();
}

Task<void> Leftovers::look(engine::Context& context, kube::Client& client,
                           const std::vector<kube::ObjectState>& states, bool prune,
                           const std::string& field_manager) {
  clear();
  auto remembered = read_applied(context);
  const auto wanted = names_of(states);
  const auto known = by_identity(remembered.value_or(std::vector<Applied>()));
  bool any = false;
  for (const auto& state : states) {
    if (state.live.is_null()) continue;
    const auto found = known.find(state.ref.without_version());
    memory_.push_back(seen_again(state.ref, state.live,
                                 found == known.end() ? nullptr : &found->second, field_manager));
    any = true;
  }
  if (prune && !remembered && any)
    context.warn("nothing is pruned: what earlier runs of this stage applied is not remembered",
                 "from this run on it is; take away by hand what the plan does not name any more");
  std::vector<std::function<Task<void>()>> looks;
  for (const auto& [name, one] : known) {
    if (wanted.contains(name)) continue;
    if (prune)
      looks.push_back(
          [this, &client, one, &field_manager] { return judge(client, one, field_manager); });
    else
      memory_.push_back(one);
  }
  co_await run_all(context.world().executor, std::move(looks), kConcurrency);
  if (!to_go_.empty()) co_await spare_what_others_want(context);
  std::ranges::sort(memory_, {}, &Applied::ref);
  std::ranges::sort(to_go_, {}, &kube::Manifest::ref);
  std::ranges::sort(left_);
  co_await remember_applied(context, memory_);
}

Task<void> Leftovers::judge(kube::Client& client, Applied one, const std::string& field_manager) {
  auto live = co_await client.get(one.ref);
  if (!live) {
    // Gone; but a kind that is not served just now says nothing about its objects.
    auto served = co_await client.resource(one.ref.api_version, one.ref.kind);
    if (!served) memory_.push_back(one);
    co_return;
  }
  if (!one.uid.empty() && uid_of(*live) != one.uid) co_return;  // somebody made it anew
  one = seen_again(one.ref, *live, &one, field_manager);
  memory_.push_back(one);
  const std::string line = "left in place: " + one.ref.to_string();
  if (kube::holds_more_than_itself(one.ref)) {
    left_.push_back(line + " may hold more than itself: remove it by hand when nothing needs it");
  } else if (!made_here(one, *live, field_manager)) {
    left_.push_back(line + " was " + kNotOurs);
  } else if (auto owner = adopted_by(*live); !owner.empty()) {
    left_.push_back(line + " belongs to " + owner + " now");
  } else {
    to_go_.push_back({std::move(*live), {}});
  }
}

Task<void> Leftovers::spare_what_others_want(engine::Context& context) {
  std::string unknown;
  auto others = co_await wanted_by_others(context, unknown);
  for (auto it = to_go_.begin(); it != to_go_.end();) {
    const kube::ObjectRef ref = it->ref().without_version();
    const bool wanted = others.contains(ref);
    if (!wanted && unknown.empty()) {
      ++it;
      continue;
    }
    if (!wanted)
      left_.push_back("left in place: " + it->ref().to_string() + " may be wanted by stage " +
                      unknown + ", whose sources cannot be read now");
    if (wanted)
      std::erase_if(memory_,
                    [&ref](const Applied& one) { return one.ref.without_version() == ref; });
    it = to_go_.erase(it);
  }
}

const Applied* Leftovers::find(const kube::ObjectRef& ref) const {
  const auto found = std::ranges::lower_bound(memory_, ref, {}, &Applied::ref);
  return found == memory_.end() || found->ref != ref ? nullptr : &*found;
}

bool Leftovers::made(const kube::ObjectState& state, std::string_view field_manager) const {
  if (state.live.is_null()) return false;
  const Applied* known = find(state.ref);
  return known ? made_here(*known, state.live, field_manager) : made_by(state.live, field_manager);
}

Task<void> Leftovers::intend(engine::Context& context,
                             const std::vector<kube::ObjectState>& states) {
  const auto wanted = names_of(states);
  std::vector<Applied> memory;
  for (const auto& state : states)
    memory.push_back(about_to_apply(state.ref, state.live, find(state.ref)));
  for (const Applied& one : memory_)
    if (!wanted.contains(one.ref.without_version())) memory.push_back(one);
  std::ranges::sort(memory, {}, &Applied::ref);
  co_await remember_applied(context, memory);
}

}  // namespace blackstart::stages
