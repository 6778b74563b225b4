// What ObjectsStage sees, and what it waits for.
#include "stages/kube/objects.h"

#include <algorithm>
#include <functional>

#include "orchestrator/kube/deletion.h"
#include "orchestrator/kube/immutable.h"
#include "orchestrator/kube/readiness_rules.h"
#include "orchestrator/kube/surroundings.h"
#include "stages/kube/siblings.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;

bool is_leaving(const kube::ObjectState& state) {
  return !kube::text_at(state.live, {"metadata", "deletionTimestamp"}).empty();
}

std::string sentence(const kube::ObjectState& state, const kube::Readiness& readiness) {
  return state.ref.to_string() + ": " + readiness.reason;
}

/// Why an object that is being deleted is still there.
std::string why_it_stays(const kube::ObjectState& state) {
  std::string why = state.ref.to_string() + " is being deleted";
  std::vector<std::string> reasons = kube::blockers_of(state.live);
  return reasons.empty() ? why : why + ": " + join(reasons, "; ");
}

kube::Selection selection_of(const kube::ObjectState& state) {
  const kube::ObjectRef& ref = state.ref;
  return {ref.api_version, ref.kind, ref.name_space, ref.name, {}};
}

std::string version_of(const boost::json::value& object) {
  return kube::text_at(object, {"metadata", "resourceVersion"});
}

}  // namespace

Task<std::optional<Decision>> ObjectsStage::inspect(engine::Context&, kube::Client&) {
  co_return std::nullopt;
}

void ObjectsStage::publish(Observation&) const {}

bool ObjectsStage::is_ours(const kube::ObjectState& state) const {
  return leftovers_.made(state, wanted_.field_manager);
}

Task<Observation> ObjectsStage::observe(engine::Context& context) {
  if (loaded_ != context.digest()) {
    wanted_ = co_await load(context);
    if (wanted_.objects.empty())
      throw Error(ErrorClass::kUsage, "there is no object to apply: " + wanted_.what)
          .at(context.stage().place);
    loaded_ = context.digest();
    rival_ = rival_for_definitions(context, wanted_.objects);
  }
  states_.clear();
  unready_.clear();
  leaving_.clear();
  details_.clear();
  immutable_.clear();
  leftovers_.clear();
  verdict_.reset();
  if (auto stage = waits_for_cluster(context)) co_return Observation::deferred(*stage);
  client_ = co_await connect(context);
  co_await compare(*client_);
  co_await look_at_leaving(*client_);
  co_await leftovers_.look(context, *client_, states_, wanted_.prune, wanted_.field_manager);
  find_immutable();
  verdict_ = co_await inspect(context, *client_);
  Observation seen = co_await judge(context, *client_);
  if (seen.is_present()) publish(seen);
  co_return seen;
}

/// What is being deleted is neither applied nor ready until it is gone.
Task<void> ObjectsStage::look_at_leaving(kube::Client& client) {
  leaving_.clear();
  auto leaving = std::ranges::find_if(states_, is_leaving);
  if (leaving == states_.end()) co_return;
  leaving_ = why_it_stays(*leaving);
  if (leaving->ref.kind != "Namespace") co_return;
  auto why = co_await kube::why_terminating(client, leaving->ref.name);
  if (!why.empty()) leaving_ = join(why, "; ");
}

Task<void> ObjectsStage::compare(kube::Client& client) {
  states_ = co_await kube::compare(client, wanted_.objects, wanted_.default_namespace,
                                   wanted_.field_manager);
}

Task<Observation> ObjectsStage::judge(engine::Context& context, kube::Client& client) {
  size_t absent = 0;
  size_t differing = 0;
  for (const auto& state : states_) {
    absent += state.presence == kube::Presence::kAbsent;
    differing += state.presence == kube::Presence::kDiffers;
  }
  if (absent && absent == states_.size())
    co_return Observation::absent(
        absent == 1 ? "it is not there" : "none of " + count_of(absent, "object") + " is there");
  if (wanted_.missing)
    co_return Observation::differs("whether " + wanted_.what + wanted_.is() +
                                   "as wanted cannot be told: " + wanted_.missing->summary());
  if (absent || differing) {
    std::vector<std::string> parts;
    if (absent) parts.push_back(count_of(absent, "object") + " missing");
    if (differing) parts.push_back(count_of(differing, "object differs", "objects differ"));
    co_return Observation::differs(join(parts, ", "));
  }
  co_return co_await judge_readiness(context, client);
}

Task<void> ObjectsStage::find_unready(kube::Client& client) {
  std::vector<const boost::json::value*> live;
  for (const auto& state : states_) live.push_back(&state.live);
  kube::Surroundings around;
  if (wanted_.wait) around = co_await kube::look_around(client, std::move(live));
  for (const auto& state : states_) {
    kube::Readiness readiness = is_leaving(state) ? kube::progressing(why_it_stays(state))
                                : wanted_.wait    ? kube::readiness_of(state.live, around)
                                                  : kube::ready("it is there");
    if (!readiness.ready()) unready_.push_back({&state, std::move(readiness)});
  }
  // A failed one is what holds everything up: it is looked into before those on their way.
  std::ranges::stable_sort(unready_, std::ranges::greater(),
                           [](const Unready& one) { return one.readiness.state; });
}

/// Empty while anything is on its way: what has stalled may wait for it.
std::string ObjectsStage::stalled_trouble() const {
  if (unready_.empty() || unready_.back().readiness.state != kube::Readiness::State::kStalled)
    return {};
  std::vector<std::string> texts;
  for (const auto& one : unready_) texts.push_back(sentence(*one.state, one.readiness));
  return join(texts, "\n");
}

Task<Observation> ObjectsStage::judge_readiness(engine::Context& context, kube::Client& client) {
  co_await find_unready(client);
  bool lasted = grace_.is_over(context.world().clock.now(), stalled_trouble(), wanted_.grace);
  if (unready_.empty() && !leftovers_.to_go().empty())
    co_return Observation::differs(count_of(leftovers_.to_go().size(), "object is", "objects are") +
                                   " no longer wanted");
  if (unready_.empty())
    co_return Observation::present(wanted_.what + wanted_.is() +
                                   (wanted_.wait ? "ready" : "there"));
  const Unready& first = unready_.front();
  bool failed = first.readiness.state == kube::Readiness::State::kFailed;
  kube::Diagnosis diagnosis;
  if (!is_leaving(*first.state))
    diagnosis = co_await explainer_.explain(context, client, first.state->live, failed || lasted);
  std::string reason =
      diagnosis.chain.empty() ? sentence(*first.state, first.readiness) : diagnosis.sentence();
  details_ = std::move(diagnosis.details);
  if ((failed || lasted) && !verdict_) {
    verdict_ = given_up(reason, failed ? Duration{} : wanted_.grace);
    verdict_->causes = details_;
  }
  if (unready_.size() > 1)
    reason += " (and " + count_of(unready_.size() - 1, "more object") + " not ready)";
  co_return Observation::differs(reason);
}

void ObjectsStage::find_immutable() {
  const auto& kinds = wanted_.recreate;
  for (size_t i = 0; i < states_.size(); ++i) {
    const auto& state = states_[i];
    if (!state.refusal || std::ranges::find(kinds, state.ref.kind) == kinds.end()) continue;
    if (!is_ours(state) && !wanted_.force) continue;
    const auto fields = kube::immutable_fields(*state.refusal);
    if (!fields.empty())
      immutable_[i] = kube::change_of(state.live, wanted_.objects[i].object, fields[0]);
  }
}

Task<void> ObjectsStage::changed(engine::Context& context) {
  std::vector<kube::Selection> selections;
  for (const auto& one : unready_) selections.push_back(selection_of(*one.state));
  for (const auto& state : states_)
    if (is_leaving(state)) selections.push_back(selection_of(state));
  if (selections.empty() || !client_) co_return co_await Stage::changed(context);
  co_await watches_.look_at(client_, selections);
  // What moved between the last look and the start of the watch will not be announced.
  for (const auto& state : states_) {
    auto* view = watches_.find(selection_of(state));
    if (!view) continue;
    const auto* now = view->find(state.ref.name_space, state.ref.name);
    if (!now || version_of(*now) != version_of(state.live)) co_return;
  }
  co_await watches_.changed(context.world().executor);
}

Task<void> ObjectsStage::close(engine::Context&) { co_await watches_.stop(); }

}  // namespace blackstart::stages
