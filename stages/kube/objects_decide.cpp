// What ObjectsStage makes of what it has seen: what is to be done, shown before it is.
#include <algorithm>
#include <span>

#include "stages/kube/objects.h"

namespace blackstart::stages {
namespace {

constexpr size_t kDetailLines = 200;  // of one action; more are counted
constexpr size_t kNamed = 10;         // of what is left in place

using engine::Action;
using engine::Decision;
using engine::Observation;

/// What the API server said to the dry run. That a webhook cannot be asked yet may pass, and what
/// is said of a Secret may hold its values.
std::string refusal_of(const kube::ObjectState& state, bool force) {
  if (!state.refusal || state.refusal->error_class() == ErrorClass::kNotReady) return {};
  if (force && !state.refusal->conflicts().empty()) return {};
  return ": refused when tried" +
         (state.ref.kind == "Secret" ? "" : ": " + join(state.refusal->causes(), "; "));
}

std::string line_of(const kube::ObjectState& state, bool force) {
  if (state.presence == kube::Presence::kAbsent) return "+ " + state.ref.to_string();
  std::string line = "~ " + state.ref.to_string();
  if (!state.fields.empty()) line += " (" + join(state.fields, ", ") + ")";
  return line + refusal_of(state, force);
}

std::string some_of(const std::vector<std::string>& names) {
  const std::span some(names.data(), std::min(names.size(), kNamed));
  const size_t left = names.size() - some.size();
  return join(some, ", ") + (left == 0 ? "" : " and " + std::to_string(left) + " more");
}

void bound(std::vector<std::string>& lines) {
  if (lines.size() <= kDetailLines) return;
  size_t left = lines.size() - kDetailLines;
  lines.resize(kDetailLines);
  lines.push_back("… and " + count_of(left, "more object"));
}

}  // namespace

Decision ObjectsStage::decide(const Observation& seen) const {
  if (!rival_.empty())
    return Decision::blocked(rival_,
                             "each definition has one owner: leave it out of one of the two");
  if (seen.is_present()) {
    const auto& left = leftovers_.left();
    return Decision::satisfied(seen.reason + (left.empty() ? "" : "; " + join(left, "; ")));
  }
  if (wanted_.missing) throw *wanted_.missing;
  if (verdict_) return *verdict_;
  if (!leaving_.empty()) return wait_for_unready(leaving_);
  if (!unready_.empty()) return wait_for_unready(seen.reason);
  return act_on(seen.reason);
}

Decision ObjectsStage::act_on(const std::string& reason) const {
  std::vector<Action> actions;
  std::vector<std::string> lines = changes();
  if (!lines.empty())
    actions.push_back({"apply", "apply " + wanted_.what, std::move(lines), false, false});
  if (!immutable_.empty()) {
    lines.clear();
    for (const auto& [index, why] : immutable_)
      lines.push_back("-/+ " + states_[index].ref.to_string() + " (" + why + ")");
    std::string what = count_of(lines.size(), "object") + " that cannot be changed in place";
    bound(lines);
    actions.push_back({"recreate", "delete and make again " + what, std::move(lines), false, true});
  }
  if (!leftovers_.to_go().empty()) {
    lines.clear();
    for (const auto& object : leftovers_.to_go()) lines.push_back("- " + object.ref().to_string());
    lines.insert(lines.end(), leftovers_.left().begin(), leftovers_.left().end());
    std::string what = count_of(leftovers_.to_go().size(), "object that is", "objects that are") +
                       " no longer wanted";
    bound(lines);
    actions.push_back({"prune", "remove " + what, std::move(lines), false, true});
  }
  return Decision::act(std::move(actions), reason);
}

Decision ObjectsStage::wait_for_unready(const std::string& reason) const {
  Decision decision = Decision::wait(reason);
  decision.causes = details_;
  for (const auto& one : unready_) decision.waits_for.push_back(one.state->ref.to_string());
  return decision;
}

std::vector<std::string> ObjectsStage::changes() const {
  std::vector<std::string> lines;
  for (size_t i = 0; i < states_.size(); ++i)
    if (states_[i].presence != kube::Presence::kSame && !immutable_.contains(i))
      lines.push_back(line_of(states_[i], wanted_.force));
  if (states_.empty())
    for (const auto& manifest : wanted_.objects) lines.push_back("+ " + manifest.ref().to_string());
  bound(lines);
  return lines;
}

Decision ObjectsStage::decide_removal(const Observation& seen) const {
  if (seen.state == Observation::State::kDeferred)
    return Decision::satisfied("there is no cluster");
  Action action{"remove", "remove " + wanted_.what, {}, false, true};
  std::vector<std::string> left;
  for (const auto& state : states_) {
    if (state.presence == kube::Presence::kAbsent) continue;
    bool ours = is_ours(state);
    (ours ? action.details : left).push_back((ours ? "- " : "") + state.ref.to_string());
  }
  if (action.details.empty())
    return Decision::satisfied(left.empty()
                                   ? "it is not there"
                                   : "left in place: " + some_of(left) +
                                         (left.size() == 1 ? " was " : " were ") + kNotOurs);
  for (const auto& name : left)
    action.details.push_back("left in place: " + name + " was " + kNotOurs);
  bound(action.details);
  return Decision::act(std::move(action));
}

}  // namespace blackstart::stages
