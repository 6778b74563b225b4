#include "stages/kube/condition.h"

#include <algorithm>
#include <array>

#include "orchestrator/kube/deletion.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::stages {
namespace {

std::string subject(const Condition& condition) {
  const kube::Selection& where = condition.selection;
  std::string text = where.kind;
  if (!where.name.empty())
    return text + " " + (where.name_space.empty() ? "" : where.name_space + "/") + where.name;
  if (!where.label_selector.empty()) text += " with " + where.label_selector;
  if (!where.name_space.empty()) text += " in " + where.name_space;
  return text;
}

std::string text_of(const plan::Value& value, std::string_view key) {
  const plan::Value* text = value.given(key);
  return text ? text->as_text() : "";
}

bool flag_of(const plan::Value& value, std::string_view key) {
  const plan::Value* flag = value.given(key);
  return flag && flag->as_boolean();
}

/// All objects of a condition that holds, as a sentence begins.
std::string all_of(const Condition& condition) {
  return (condition.selection.name.empty() ? "every " : "") + subject(condition);
}

/// "Pod in web: 1 of 2 is there"
std::string too_few(const Condition& condition, size_t found) {
  return subject(condition) + ": " + std::to_string(found) + " of " +
         std::to_string(condition.count) + (found == 1 ? " is" : " are");
}

/// `object` holds it up, as its readiness says.
Judgement held_up(std::string reason, const boost::json::value* object,
                  kube::Readiness::State state) {
  using State = kube::Readiness::State;
  return {false, state == State::kFailed, state == State::kStalled, std::move(reason), object};
}

Judgement open_still(std::string reason) {
  return {false, false, false, std::move(reason), nullptr};
}

Judgement holds(std::string reason) { return {true, false, false, std::move(reason), nullptr}; }

/// Of all that is in the way the worst counts, and of several the first.
class Worst {
 public:
  void add(std::string reason, const boost::json::value* object, kube::Readiness::State state) {
    if (found_ && state <= state_) return;
    state_ = state;
    found_ = held_up(std::move(reason), object, state);
  }
  const std::optional<Judgement>& found() const { return found_; }

 private:
  kube::Readiness::State state_{};
  std::optional<Judgement> found_;
};

Judgement judge_ready(const Condition& condition,
                      const std::vector<const boost::json::value*>& items,
                      const kube::Surroundings& around) {
  size_t ready = 0;
  Worst worst;
  for (const auto* item : items) {
    kube::Readiness readiness = kube::readiness_of(*item, around);
    ready += readiness.ready();
    if (!readiness.ready())
      worst.add(kube::ref_of(*item).to_string() + ": " + readiness.reason, item, readiness.state);
  }
  if (worst.found()) return *worst.found();
  if (ready < condition.count) return open_still(too_few(condition, ready) + " ready");
  return holds(all_of(condition) + " is ready");
}

/// How a condition of an object stands, as a sentence goes on.
std::string state_of(const std::optional<kube::Condition>& found) {
  if (!found) return " is not set";
  std::string text = " is " + found->status;
  if (found->outdated) return text + ", but of an earlier generation";
  if (found->message.empty() && found->reason.empty()) return text;
  return text + ": " + found->text();
}

Judgement judge_status(const Condition& condition,
                       const std::vector<const boost::json::value*>& items,
                       const kube::Surroundings& around) {
  Worst worst;
  for (const auto* item : items) {
    const auto found = kube::condition_of(*item, condition.type);
    if (found && !found->outdated && found->status == condition.status) continue;
    std::string reason = kube::ref_of(*item).to_string() + ": " + condition.type + state_of(found);
    kube::Readiness readiness = kube::readiness_of(*item, around);
    if (readiness.ready())
      worst.add(std::move(reason), nullptr, readiness.state);
    else
      worst.add(reason + " (" + readiness.reason + ")", item, readiness.state);
  }
  if (worst.found()) return *worst.found();
  return holds(all_of(condition) + ": " + condition.type + " is " + condition.status);
}

Judgement still_there(const std::vector<const boost::json::value*>& items) {
  std::string first = kube::ref_of(*items.front()).to_string();
  std::string more = items.size() > 1 ? " and " + count_of(items.size() - 1, "more object") : "";
  std::vector<std::string> why = kube::blockers_of(*items.front());
  return open_still(first + more + (more.empty() ? " is" : " are") + " still there" +
                    (why.empty() ? "" : ": " + join(why, "; ")));
}

}  // namespace

std::string Condition::to_string() const {
  switch (kind) {
    case Kind::kReady: return subject(*this) + " to be ready";
    case Kind::kStatus: return subject(*this) + " to have " + type + "=" + status;
    case Kind::kGone: return subject(*this) + " to be gone";
    case Kind::kCount: return "at least " + std::to_string(count) + " " + subject(*this);
  }
  return subject(*this);
}

Condition read_condition(const plan::Value& value) {
  Condition condition;
  condition.selection = {text_of(value, "apiVersion"), text_of(value, "kind"),
                         text_of(value, "namespace"), text_of(value, "name"),
                         text_of(value, "selector")};
  bool ready = flag_of(value, "ready");
  bool gone = flag_of(value, "gone");
  const plan::Value* status = value.given("condition");
  const plan::Value* count = value.given("count");
  if (ready + gone + (status != nullptr) > 1)
    throw Error(ErrorClass::kUsage, "one of ready, condition and gone").at(value.place);
  if (gone && count) throw Error(ErrorClass::kUsage, "gone has no count").at(count->place);
  if (count) condition.count = static_cast<size_t>(std::max<int64_t>(count->as_integer(), 0));
  if (gone) condition.kind = Condition::Kind::kGone;
  if (status) {
    condition.kind = Condition::Kind::kStatus;
    condition.type = text_of(*status, "type");
    condition.status = status->given("status") ? text_of(*status, "status") : "True";
  } else if (count && !ready) {
    condition.kind = Condition::Kind::kCount;
  }
  return condition;
}

Judgement judge(const Condition& condition, const std::vector<const boost::json::value*>& items,
                const kube::Surroundings& around) {
  const std::string unknown =
      condition.selection.api_version.empty() ? ": the API server knows no such kind" : "";
  if (condition.kind == Condition::Kind::kGone && !items.empty()) return still_there(items);
  if (condition.kind == Condition::Kind::kGone)
    return holds(all_of(condition) + " is gone" + unknown);
  if (items.empty() && condition.count > 0)
    return open_still(subject(condition) + " does not exist yet" + unknown);
  if (condition.kind == Condition::Kind::kReady) return judge_ready(condition, items, around);
  if (condition.kind == Condition::Kind::kStatus && items.size() >= condition.count)
    return judge_status(condition, items, around);
  std::string reason = too_few(condition, items.size()) + " there";
  return items.size() >= condition.count ? holds(reason) : open_still(reason);
}

}  // namespace blackstart::stages
