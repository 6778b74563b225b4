// kube.wait: until objects are ready, have a condition, are there or are gone. Writes nothing.
#include <algorithm>
#include <functional>

#include "orchestrator/kube/surroundings.h"
#include "stages/kube/condition.h"
#include "stages/kube/objects.h"
#include "stages/kube/watches.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using plan::OptionType;

/// The group of a kind that was given without one: the core group first, then by name, so that
/// every run finds the same one. Empty when there is no such kind.
std::string find_api_version(const kube::Kinds& kinds, const std::string& kind) {
  std::string found;
  for (const auto& resource : kinds.resources) {
    if (resource.kind != kind) continue;
    bool core = resource.api_version.find('/') == std::string::npos;
    if (core) return resource.api_version;
    if (found.empty() || resource.api_version < found) found = resource.api_version;
  }
  return found;
}

Error cannot_tell(const Condition& condition, const kube::Kinds& kinds) {
  return Error(ErrorClass::kTransient,
               "cannot tell whether the API server knows " + condition.selection.kind)
      .because("nobody answers for " + join(kinds.silent, ", "));
}

class WaitStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    conditions_.clear();
    for (const plan::Value& value : context.option("for").as_list())
      conditions_.push_back(read_condition(value));
    hopeless_.reset();
    waits_for_.clear();
    details_.clear();
    if (auto stage = waits_for_cluster(context)) co_return Observation::deferred(*stage);
    client_ = co_await connect(context);
    co_await look(*client_);
    kube::Surroundings around = co_await kube::look_around(*client_, all_items());
    judge_all(around);
    Duration grace = context.option("grace").as_duration();
    bool lasted = grace_.is_over(context.world().clock.now(), stalled_trouble(), grace);
    if (open_.empty()) co_return Observation::present(join(held_, "; "));
    co_await explain(context, lasted, grace);
    std::vector<std::string> reasons;
    for (const Open& one : open_) reasons.push_back(one.judgement.reason);
    co_return Observation::differs(join(reasons, "; "));
  }

  Decision decide(const Observation& seen) const override {
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    if (hopeless_) return *hopeless_;
    if (seen.state == Observation::State::kDeferred) return Decision::wait(describe());
    Decision decision = Decision::wait(seen.reason);
    decision.waits_for = waits_for_;
    decision.causes = details_;
    return decision;
  }

  Task<void> act(engine::Context&, const engine::Action&) override { co_return; }

  Task<void> changed(engine::Context& context) override {
    // A kind that no group is known to have cannot be watched, nor more than so many at once:
    // looking again is all there is.
    bool blind =
        std::any_of(conditions_.begin(), conditions_.end(), [this](const Condition& condition) {
          return watches_.find(condition.selection) == nullptr;
        });
    if (blind) co_return co_await Stage::changed(context);
    co_await watches_.changed(context.world().executor);
  }

  Decision decide_removal(const Observation&) const override {
    return Decision::satisfied("it made nothing");
  }

  Task<void> close(engine::Context&) override { co_await watches_.stop(); }

 private:
  struct Open {
    Condition::Kind kind;
    Judgement judgement;  // its object holds until the next suspension
  };

  Task<void> look(kube::Client& client) {
    std::vector<kube::Selection> selections;
    for (Condition& condition : conditions_) {
      if (condition.selection.api_version.empty()) co_await find_group(client, condition);
      if (!condition.selection.api_version.empty()) selections.push_back(condition.selection);
    }
    co_await watches_.read(client_, std::move(selections));
  }

  /// Leaves it empty when the server does not know the kind yet.
  Task<void> find_group(kube::Client& client, Condition& condition) {
    const kube::Kinds kinds = co_await client.kinds();
    condition.selection.api_version = find_api_version(kinds, condition.selection.kind);
    if (!condition.selection.api_version.empty()) co_return;
    client.forget_discovery();
    // What none is left of must not be taken for gone because nobody answers for it.
    if (condition.holds_without_any() && !kinds.silent.empty()) throw cannot_tell(condition, kinds);
  }

  std::vector<const boost::json::value*> all_items() const {
    std::vector<const boost::json::value*> all;
    for (const Condition& condition : conditions_)
      for (const auto* item : watches_.items(condition.selection)) all.push_back(item);
    return all;
  }

  /// Without suspension: the views move when something else runs.
  void judge_all(const kube::Surroundings& around) {
    open_.clear();
    held_.clear();
    for (const Condition& condition : conditions_) {
      Judgement judgement = judge(condition, watches_.items(condition.selection), around);
      if (judgement.holds) {
        held_.push_back(judgement.reason);
      } else {
        waits_for_.push_back(condition.to_string());
        open_.push_back({condition.kind, std::move(judgement)});
      }
    }
    // What cannot come true is looked into before what is on its way.
    std::ranges::stable_sort(open_, std::ranges::greater(),
                             [](const Open& one) { return one.judgement.hopeless; });
    held_up_by_ = nullptr;
    if (!open_.empty() && open_.front().judgement.object)
      held_up_by_ = *open_.front().judgement.object;
  }

  /// Empty while anything is on its way: what has stalled may wait for it.
  std::string stalled_trouble() const {
    std::vector<std::string> texts;
    for (const Open& one : open_) {
      if (!one.judgement.stalled) return {};
      texts.push_back(one.judgement.reason);
    }
    return join(texts, "\n");
  }

  /// Of the worst; `lasted`: it has stalled for the whole `grace`, which ends the wait.
  Task<void> explain(engine::Context& context, bool lasted, Duration grace) {
    Open& worst = open_.front();
    bool over = worst.judgement.hopeless || lasted;
    if (!held_up_by_.is_null()) {
      kube::Diagnosis diagnosis = co_await explainer_.explain(context, *client_, held_up_by_, over);
      if (worst.kind == Condition::Kind::kReady && !diagnosis.chain.empty())
        worst.judgement.reason = diagnosis.sentence();
      details_ = std::move(diagnosis.details);
    }
    if (!over) co_return;
    hopeless_ = given_up(worst.judgement.reason, worst.judgement.hopeless ? Duration{} : grace);
    hopeless_->causes = details_;
  }

  std::string describe() const {
    std::vector<std::string> parts;
    for (const Condition& condition : conditions_) parts.push_back(condition.to_string());
    return join(parts, ", ");
  }

  std::vector<Condition> conditions_;
  std::vector<Open> open_;         // those that do not hold, the worst first
  std::vector<std::string> held_;  // why the others do
  boost::json::value held_up_by_;  // what the worst is about, if anything
  std::optional<Decision> hopeless_;
  std::vector<std::string> details_;  // of why the first that does not hold does not, in full
  Grace grace_;
  Explainer explainer_;
  std::vector<std::string> waits_for_;  // the conditions that do not hold
  std::shared_ptr<kube::Client> client_;
  Watches watches_;
};

}  // namespace

extern const engine::StageType kKubeWait;
const engine::StageType kKubeWait{
    .schema =
        {
            .name = "kube.wait",
            .summary = "Waits until objects are ready, have a condition, are there or are gone.",
            .options =
                {
                    {.name = "for",
                     .type = OptionType::kList,
                     .required = true,
                     .summary = "what to wait for; all of it must hold; nothing needs to exist yet",
                     .fields =
                         {{.name = "condition",
                           .type = OptionType::kMap,
                           .summary = "one condition",
                           .fields =
                               {
                                   {.name = "kind", .required = true, .summary = "e.g. Deployment"},
                                   {.name = "apiVersion",
                                    .summary = "e.g. apps/v1; found by the kind when left out"},
                                   {.name = "name", .summary = "one object; default: all"},
                                   {.name = "namespace", .summary = "default: all namespaces"},
                                   {.name = "selector", .summary = "label selector, a=b,c!=d"},
                                   {.name = "ready",
                                    .type = OptionType::kBoolean,
                                    .summary = "all of them are ready (the default)"},
                                   {.name = "condition",
                                    .type = OptionType::kMap,
                                    .summary = "all of them have this condition",
                                    .fields = {{.name = "type",
                                                .required = true,
                                                .summary = "e.g. Ready"},
                                               {.name = "status",
                                                .default_value = "'True'",
                                                .summary = "True, False or Unknown"}}},
                                   {.name = "gone",
                                    .type = OptionType::kBoolean,
                                    .summary = "none is left"},
                                   {.name = "count",
                                    .type = OptionType::kInteger,
                                    .summary = "at least so many exist"},
                               }}}},
                    {.name = "grace",
                     .type = OptionType::kDuration,
                     .default_value = kGraceText,
                     .summary = "how long trouble that may pass must last to end the wait early"},
                },
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<WaitStage>(); },
};

}  // namespace blackstart::stages
