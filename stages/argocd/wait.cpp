// argocd.wait: until the Applications and all their children are done, or cannot get there.
#include "orchestrator/base/path.h"
#include "orchestrator/base/text.h"
#include "orchestrator/world/async.h"
#include "stages/argocd/assessment.h"
#include "stages/argocd/declared.h"
#include "stages/argocd/explanation.h"
#include "stages/argocd/remedy.h"
#include "stages/argocd/revisions.h"
#include "stages/kube/grace.h"
#include "stages/kube/watches.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using argocd::Remedy;
using argocd::Verdict;
using engine::Action;
using engine::Context;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

constexpr Duration kExplainPause = std::chrono::seconds(3);
constexpr size_t kExplained = 3;       // Applications looked into at once
constexpr size_t kSecondsLength = 19;  // of a time in RFC 3339

class WaitStage final : public engine::Stage {
 public:
  Task<Observation> observe(Context& context) override;
  Decision decide(const Observation& seen) const override {
    return argocd::decide_wait(state_, seen);
  }
  Task<void> act(Context& context, const Action& action) override;
  Task<void> changed(Context& context) override;
  Task<void> close(Context&) override { co_await watches_.stop(); }

 private:
  void read_options(Context& context);
  std::vector<const boost::json::value*> items(const char* kind) const;
  argocd::ExpectedRevision expected_revision() const {
    return [this](const argocd::Source& source) { return revisions_.expected(source); };
  }
  void recall_failures();
  void weigh(Context& context);
  void look_again_by(Instant time);
  bool said_before_us(const Verdict& verdict) const;
  Task<void> explain(Context& context);
  bool explanations_are_due(Context& context);
  Task<void> find_explanations();
  const boost::json::value* find(const kube::ObjectRef& ref) const;
  bool is_called_for(const Verdict& verdict, const boost::json::value& live) const;
  Task<void> help(Verdict verdict);
  Task<void> send(kube::ObjectRef ref, boost::json::value patch);

  std::optional<std::string> read_for_;  // the input digest that the options were read for
  argocd::WaitFor wanted_;
  argocd::Revisions revisions_;
  Duration grace_{};
  argocd::WaitState state_;
  std::map<std::string, Grace> graces_;          // of the trouble of each Application
  std::set<std::string> tried_;                  // occasions of remedies
  std::optional<Instant> look_again_;            // though nothing may have changed
  std::string begun_;                            // UTC: when this stage first looked
  std::map<std::string, std::string> failures_;  // of the last try, by Application that retries
  Instant explained_{};
  std::map<std::string, kube::Diagnosis> explanations_;  // of then, by Application
  std::shared_ptr<kube::Client> client_;                 // outlives the watches
  Watches watches_;
};

void WaitStage::read_options(Context& context) {
  wanted_ = argocd::read_wait_for(context);
  grace_ = context.option("grace").as_duration();
  std::string repository = context.text_or("repository", "");
  if (!repository.empty()) repository = absolute_path(context.plan().folder, repository);
  revisions_ = argocd::Revisions(std::move(repository), context.text_or("revision", ""));
  begun_ = format_utc(context.world().clock.wall_time());
  read_for_ = context.digest();
}

std::vector<const boost::json::value*> WaitStage::items(const char* kind) const {
  return watches_.items({argocd::kApiVersion, kind, wanted_.name_space, "", ""});
}

Task<Observation> WaitStage::observe(Context& context) {
  if (read_for_ != context.digest()) {
    read_options(context);
    co_await revisions_.warn_of_unpushed(context);
  }
  state_ = {};
  if (auto stage = waits_for_cluster(context)) co_return Observation::deferred(*stage);
  client_ = co_await connect(context);
  std::vector<kube::Selection> selections;
  for (const char* kind : {"Application", "ApplicationSet"})
    selections.push_back({argocd::kApiVersion, kind, wanted_.name_space, "", ""});
  co_await watches_.read(client_, std::move(selections));
  std::vector<argocd::Source> sources;
  for (const boost::json::value* application : items("Application"))
    for (argocd::Source& source : argocd::sources_of(*application))
      sources.push_back(std::move(source));
  co_await revisions_.resolve(context, std::move(sources));
  state_.assessment =
      argocd::assess(wanted_, items("Application"), items("ApplicationSet"), expected_revision());
  recall_failures();
  weigh(context);
  const argocd::Assessment& assessment = state_.assessment;
  if (assessment.done()) {
    for (const std::string& note : assessment.notes) context.warn(note);
    co_return Observation::present(argocd::describe_done(assessment));
  }
  co_await explain(context);
  std::string reason = argocd::decide_wait(state_, Observation::differs("")).reason;
  co_return assessment.total == 0 ? Observation::absent(reason) : Observation::differs(reason);
}

/// While it tries again Argo CD no longer tells what the last try failed of.
void WaitStage::recall_failures() {
  std::map<std::string, std::string> failures;
  for (Verdict& verdict : state_.assessment.pending) {
    if (!verdict.retrying) continue;
    std::string& failure = failures[verdict.application];
    failure = verdict.failure;
    if (!failure.empty()) continue;
    failure = failures_[verdict.application];
    if (!failure.empty()) verdict.reason += ": " + failure;
  }
  failures_ = std::move(failures);
}

void WaitStage::look_again_by(Instant time) {
  look_again_ = std::min(look_again_.value_or(time), time);
}

/// What Argo CD said before this run may be over by now: it is asked to look again.
bool WaitStage::said_before_us(const Verdict& verdict) const {
  return !verdict.since.empty() &&
         verdict.since.substr(0, kSecondsLength) < begun_.substr(0, kSecondsLength);
}

/// Whom to help, and whom to give up. Much of what looks final passes by itself while Argo CD
/// starts: only what stays counts.
void WaitStage::weigh(Context& context) {
  Instant now = context.world().clock.now();
  std::map<std::string, Grace> graces;
  look_again_.reset();
  for (Verdict& verdict : state_.assessment.pending) {
    Grace& grace = graces[verdict.application] = graces_[verdict.application];
    bool lasted = grace.is_over(now, argocd::trouble_of(verdict), grace_);
    bool stuck = verdict.kind == Verdict::Kind::kStuck;
    if (stuck && verdict.remedy == Remedy::kNone && said_before_us(verdict))
      verdict.remedy = Remedy::kRefresh;
    bool open = verdict.remedy != Remedy::kNone && !tried_.contains(argocd::occasion_of(verdict));
    bool at_once = open && verdict.remedy != Remedy::kTerminate;
    if (!stuck && !open) continue;
    if (at_once || lasted)
      (open ? state_.to_remedy : state_.confirmed).push_back(verdict);
    else
      look_again_by(grace.ends(grace_));
  }
  graces_ = std::move(graces);
}

/// The first look of a wait is not worth a walk through pods: most things are just starting.
bool WaitStage::explanations_are_due(Context& context) {
  Instant now = context.world().clock.now();
  bool first = explained_ == Instant{};
  bool due = context.read_only ||
             (!first && (now - explained_ >= kExplainPause || !state_.confirmed.empty()));
  if (first || due) explained_ = now;
  return due;
}

/// What was found out last stays the explanation until it is looked into again.
Task<void> WaitStage::explain(Context& context) {
  bool due = explanations_are_due(context);
  if (due) co_await find_explanations();
  for (const Verdict& verdict : state_.assessment.pending) {
    auto found = explanations_.find(verdict.application);
    if (verdict.unhealthy && !due) look_again_by(explained_ + kExplainPause);
    if (verdict.unhealthy && found != explanations_.end()) state_.explanations.insert(*found);
  }
}

Task<void> WaitStage::find_explanations() {
  explanations_.clear();
  // Copies: the watch goes on while we ask.
  std::vector<std::pair<Verdict, boost::json::value>> unhealthy;
  for (const Verdict& verdict : state_.assessment.pending) {
    if (!verdict.unhealthy || unhealthy.size() >= kExplained) continue;
    const boost::json::value* live = find(argocd::target_of(verdict, wanted_.name_space));
    if (live != nullptr) unhealthy.emplace_back(verdict, *live);
  }
  for (auto& [verdict, application] : unhealthy) {
    std::string name = verdict.application;
    kube::Diagnosis why =
        co_await argocd::explain(*client_, std::move(application), std::move(verdict));
    if (!why.chain.empty()) explanations_[std::move(name)] = std::move(why);
  }
}

const boost::json::value* WaitStage::find(const kube::ObjectRef& ref) const {
  for (const boost::json::value* item : items(ref.kind.c_str()))
    if (kube::text_at(*item, {"metadata", "name"}) == ref.name) return item;
  return nullptr;
}

Task<void> WaitStage::send(kube::ObjectRef ref, boost::json::value patch) {
  try {
    co_await client_->merge_patch(std::move(ref), std::move(patch));
  } catch (const kube::ApiError& error) {
    if (error.status() != 409) throw;
    throw Error(ErrorClass::kTransient, error.summary())
        .because("it has changed since it was looked at");
  }
}

/// An operation is begun or ended only where it is still called for: it may have ended by itself.
bool WaitStage::is_called_for(const Verdict& verdict, const boost::json::value& live) const {
  if (verdict.remedy == Remedy::kRefresh) return true;
  Verdict now = argocd::settled(argocd::judge_application(live, expected_revision()), wanted_);
  return now.remedy == verdict.remedy && argocd::occasion_of(now) == argocd::occasion_of(verdict);
}

/// Between what was decided and this the engine may have paused: what it is about is read again.
Task<void> WaitStage::help(Verdict verdict) {
  kube::ObjectRef ref = argocd::target_of(verdict, wanted_.name_space);
  const auto live = co_await client_->get(ref);
  if (!live || !is_called_for(verdict, *live)) co_return;
  boost::json::value patch = argocd::patch_for(verdict, *live);
  co_await send(std::move(ref), std::move(patch));
  // Not before: a request that failed is made again. The end of an operation too, while it stays
  // pinned: a retry that Argo CD is just about to write goes over it.
  if (verdict.remedy != Remedy::kTerminate) tried_.insert(argocd::occasion_of(verdict));
  graces_.erase(verdict.application);  // what was asked for takes its time
}

Task<void> WaitStage::act(Context& context, const Action& action) {
  context.progress(action.summary);
  for (const Verdict& verdict : state_.to_remedy)
    if (action.id == argocd::action_for(verdict).id) co_return co_await help(verdict);
}

Task<void> WaitStage::changed(Context& context) {
  World& world = context.world();
  if (!look_again_) co_return co_await watches_.changed(world.executor);
  try {
    co_await within(world.clock, *look_again_, "", watches_.changed(world.executor));
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::kDeadline) throw;
  }
}

}  // namespace

extern const engine::StageType kArgocdWait;
const engine::StageType kArgocdWait{
    .schema =
        {
            .name = "argocd.wait",
            .summary = "Waits until Applications and their children are Synced, Healthy and at "
                       "their revision.",
            .options = argocd::wait_options(),
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<WaitStage>(); },
};

}  // namespace blackstart::stages
