// What ObjectsStage does: applies, makes again, takes away.
#include "orchestrator/world/failpoint.h"
#include "stages/kube/objects.h"
#include "stages/target.h"

namespace blackstart::stages {

using engine::Action;

Task<void> ObjectsStage::act(engine::Context& context, const Action& action) {
  if (action.id == "remove") co_return co_await remove(context);
  client_ = co_await connect(context);
  if (action.id == "recreate") co_return co_await recreate(context);
  if (action.id == "prune") co_return co_await prune(context);
  co_await apply(context);
}

// The states are in the order of the manifests: what is as wanted already is not sent again.
kube::Manifests ObjectsStage::changed_objects() const {
  kube::Manifests changed;
  for (size_t i = 0; i < wanted_.objects.size(); ++i)
    if (i >= states_.size() ||
        (states_[i].presence != kube::Presence::kSame && !immutable_.contains(i)))
      changed.push_back(wanted_.objects[i]);
  return changed;
}

Task<void> ObjectsStage::apply(engine::Context& context) {
  co_await leftovers_.intend(context, states_);
  co_await apply_objects(context, changed_objects());
}

Task<void> ObjectsStage::take_away(engine::Context& context, kube::Manifests objects,
                                   bool come_again) {
  const std::string what =
      "removing " + count_of(objects.size(), "object") + (come_again ? " to make them again" : "");
  context.progress(what);
  kube::HeldUp on_held = [&context, what](const kube::ObjectRef& ref, const std::string& by) {
    context.progress(what + ": " + ref.to_string() + " waits for its finalizers: " + by);
  };
  co_await kube::remove_set(*client_, std::move(objects), std::move(on_held), come_again);
}

// Killed in between, the next run finds them absent and makes them.
Task<void> ObjectsStage::recreate(engine::Context& context) {
  kube::Manifests old;
  kube::Manifests fresh;
  for (const auto& [index, why] : immutable_) {
    old.push_back({states_[index].live, wanted_.objects[index].place});
    fresh.push_back(wanted_.objects[index]);
  }
  co_await take_away(context, std::move(old), true);
  BLACKSTART_FAILPOINT("recreate.deleted");
  co_await apply_objects(context, std::move(fresh));
}

Task<void> ObjectsStage::prune(engine::Context& context) {
  kube::Manifests to_go = leftovers_.to_go();
  co_await take_away(context, std::move(to_go), false);
}

Task<void> ObjectsStage::apply_objects(engine::Context& context, kube::Manifests changed) {
  kube::ApplySetOptions options;
  options.field_manager = wanted_.field_manager;
  options.default_namespace = wanted_.default_namespace;
  options.force = wanted_.force;
  size_t done = 0;
  options.on_applied = [&context, &done, total = changed.size()](const kube::ObjectRef& ref) {
    context.progress("applied " + std::to_string(++done) + " of " + std::to_string(total) + ", " +
                     ref.to_string());
  };
  options.on_taken_over = [&context](const kube::ObjectRef& ref, const kube::FieldConflict& taken) {
    context.warn("took over " + taken.field + " of " + ref.to_string() + " from \"" +
                 taken.manager + "\"");
  };
  try {
    co_await kube::apply_set(*client_, std::move(changed), std::move(options));
  } catch (Error& error) {
    if (error.error_class() == ErrorClass::kConflict && error.hint().empty())
      error.hint(
          "another manager owns these fields: leave them to it, or set `force: true` on stage " +
          context.stage().name + " to take them over");
    throw;
  }
  for (auto& warning : client_->take_warnings()) context.warn(std::move(warning));
}

Task<void> ObjectsStage::remove(engine::Context& context) {
  client_ = co_await connect(context);
  kube::Manifests ours;
  for (size_t i = 0; i < states_.size() && i < wanted_.objects.size(); ++i)
    if (is_ours(states_[i])) ours.push_back({states_[i].live, wanted_.objects[i].place});
  co_await take_away(context, std::move(ours), false);
}

}  // namespace blackstart::stages
