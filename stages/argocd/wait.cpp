// argocd.wait: until the Applications and all their children are done, or cannot get there.
#include "orchestrator/base/path.h"
#include "orchestrator/base/text.h"
#include "orchestrator/kube/diagnosis.h"
#include "orchestrator/kube/readiness.h"
#include "orchestrator/world/async.h"
#include "stages/argocd/assessment.h"
#include "stages/argocd/declared.h"
#include "stages/argocd/revisions.h"
#include "stages/kube/watches.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using argocd::Verdict;
using engine::Action;
using engine::Context;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

constexpr Duration kExplainPause = std::chrono::seconds(3);
constexpr size_t kExplained = 3;           // Applications looked into at once
constexpr size_t kWorkloadsLookedAt = 20;  // of one Application
constexpr const char* kRefresh = "argocd.argoproj.io/refresh";

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
  using Trouble = std::pair<std::string, std::string>;  // Application and reason

  void read_options(Context& context);
  std::vector<const boost::json::value*> items(const char* kind) const;
  void confirm_stuck(Context& context);
  void find_stale();
  Task<void> explain(Context& context);
  bool explanations_are_due(Context& context);
  Task<void> find_explanations();
  Task<std::string> explain_one(const boost::json::value& application);

  std::optional<std::string> read_for_;  // the input digest that the options were read for
  argocd::WaitFor wanted_;
  argocd::Revisions revisions_;
  Duration grace_{};
  argocd::WaitState state_;
  std::map<Trouble, Instant> stuck_since_;
  std::set<std::pair<std::string, std::string>> refreshed_;  // Application and expected revision
  std::optional<Instant> look_again_;                        // when a stuck one counts
  Instant explained_{};
  std::map<std::string, std::string> explanations_;  // of then, by Application
  std::shared_ptr<kube::Client> client_;             // outlives the watches
  Watches watches_;
};

/// The names of the Applications; empty for `all`.
std::vector<std::string> read_apps(Context& context) {
  const plan::Value& apps = context.option("apps");
  if (apps.kind != plan::Value::Kind::kList) {
    if (apps.as_text() == "all") return {};
    return {apps.as_text()};
  }
  if (apps.as_list().empty())
    throw Error(ErrorClass::kUsage, "`apps` names no Application")
        .at(apps.place)
        .hint("apps: all waits for all there are");
  return context.texts("apps");
}

/// Without a repository nobody can say which commit a branch or tag is.
void check_revision(Context& context) {
  std::string revision = context.text_or("revision", "");
  if (revision.empty() || context.has("repository") || argocd::Revisions::is_commit(revision))
    return;
  throw Error(ErrorClass::kUsage, "revision " + revision + " is no commit's hex number")
      .at(context.option("revision").place)
      .hint("name the `repository` in which it can be looked up, or give the commit");
}

void WaitStage::read_options(Context& context) {
  if (read_for_ == context.digest()) return;
  wanted_ = {};
  wanted_.name_space = context.text("namespace");
  wanted_.names = read_apps(context);
  check_revision(context);
  wanted_.except = context.texts("except");
  wanted_.at_least = static_cast<size_t>(std::max<int64_t>(0, context.number("atLeast")));
  grace_ = context.option("grace").as_duration();
  std::string repository = context.text_or("repository", "");
  if (!repository.empty()) repository = absolute_path(context.plan().folder, repository);
  revisions_ = argocd::Revisions(std::move(repository), context.text_or("revision", ""));
  read_for_ = context.digest();
}

std::vector<const boost::json::value*> WaitStage::items(const char* kind) const {
  return watches_.items({argocd::kApiVersion, kind, wanted_.name_space, "", ""});
}

Task<Observation> WaitStage::observe(Context& context) {
  read_options(context);
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
  auto expected = [this](const argocd::Source& source) { return revisions_.expected(source); };
  state_.assessment =
      argocd::assess(wanted_, items("Application"), items("ApplicationSet"), expected);
  confirm_stuck(context);
  find_stale();
  const argocd::Assessment& assessment = state_.assessment;
  if (assessment.done()) {
    for (const std::string& note : assessment.notes) context.warn(note);
    co_return Observation::present(count_of(assessment.total, "Application") +
                                   " Synced and Healthy");
  }
  co_await explain(context);
  std::string reason = argocd::decide_wait(state_, Observation::differs("")).reason;
  co_return assessment.total == 0 ? Observation::absent(reason) : Observation::differs(reason);
}

/// Much of what looks final passes by itself while Argo CD starts: only what stays counts.
void WaitStage::confirm_stuck(Context& context) {
  Instant now = context.world().clock.now();
  std::map<Trouble, Instant> since;
  look_again_.reset();
  for (const Verdict& verdict : state_.assessment.pending) {
    if (verdict.kind != Verdict::Kind::kStuck) continue;
    Trouble trouble{verdict.application, verdict.reason};
    auto known = stuck_since_.find(trouble);
    Instant first = known == stuck_since_.end() ? now : known->second;
    since[std::move(trouble)] = first;
    if (now - first >= grace_)
      state_.confirmed.push_back(verdict);
    else
      look_again_ = std::min(look_again_.value_or(first + grace_), first + grace_);
  }
  stuck_since_ = std::move(since);
}

void WaitStage::find_stale() {
  for (const Verdict& verdict : state_.assessment.pending) {
    bool stale = verdict.kind == Verdict::Kind::kStale;
    if (stale && !refreshed_.contains({verdict.application, verdict.expected}))
      state_.to_refresh.push_back(verdict);
  }
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
  if (explanations_are_due(context)) co_await find_explanations();
  for (const Verdict& verdict : state_.assessment.pending) {
    auto found = explanations_.find(verdict.application);
    if (verdict.unhealthy && found != explanations_.end()) state_.explanations.insert(*found);
  }
}

Task<void> WaitStage::find_explanations() {
  explanations_.clear();
  std::vector<boost::json::value> unhealthy;  // copies: the watch goes on while we ask
  for (const Verdict& verdict : state_.assessment.pending) {
    if (!verdict.unhealthy || unhealthy.size() >= kExplained) continue;
    for (const boost::json::value* item : items("Application"))
      if (kube::text_at(*item, {"metadata", "name"}) == verdict.application)
        unhealthy.push_back(*item);
  }
  for (const boost::json::value& application : unhealthy) {
    std::string why = co_await explain_one(application);
    if (!why.empty())
      explanations_[kube::text_at(application, {"metadata", "name"})] = std::move(why);
  }
}

/// From the Application to the first of its resources that is not ready, and down to pods and
/// events.
Task<std::string> WaitStage::explain_one(const boost::json::value& application) {
  std::optional<boost::json::value> worst;
  size_t looked_at = 0;
  for (const kube::ObjectRef& ref : argocd::workloads_of(application)) {
    if (++looked_at > kWorkloadsLookedAt) break;
    auto live = co_await client_->get(ref);
    if (!live) co_return ref.to_string() + " is missing";
    kube::Readiness readiness = kube::readiness_of(*live);
    if (readiness.ready()) continue;
    bool failed = readiness.state == kube::Readiness::State::kFailed;
    if (!worst || failed) worst = std::move(*live);
    if (failed) break;
  }
  if (!worst) co_return std::string();
  co_return (co_await kube::diagnose(*client_, std::move(*worst))).sentence();
}

Task<void> WaitStage::act(Context& context, const Action& action) {
  context.progress(action.summary);
  for (const Verdict& verdict : state_.to_refresh) {
    if (action.id != "refresh-" + verdict.application) continue;
    refreshed_.insert({verdict.application, verdict.expected});
    boost::json::value patch =
        boost::json::object{{"metadata", {{"annotations", {{kRefresh, "normal"}}}}}};
    kube::ObjectRef ref{argocd::kApiVersion, "Application", wanted_.name_space,
                        verdict.application};
    co_await client_->merge_patch(std::move(ref), std::move(patch));
    co_return;
  }
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
            .options =
                {
                    {.name = "apps",
                     .type = OptionType::kAny,
                     .default_value = "all",
                     .summary = "all, or a list of names; their children are included"},
                    {.name = "except",
                     .type = OptionType::kList,
                     .summary = "names that do not matter",
                     .fields = {{.name = "name", .summary = "an Application"}}},
                    {.name = "atLeast",
                     .type = OptionType::kInteger,
                     .default_value = "1",
                     .summary = "how many Applications there must be"},
                    {.name = "repository",
                     .type = OptionType::kString,
                     .summary = "folder of the Git repository: what is read from it must be at its "
                                "commits"},
                    {.name = "revision",
                     .summary = "the commit or name of one to be at; default: each Application's "
                                "targetRevision"},
                    {.name = "grace",
                     .type = OptionType::kDuration,
                     .default_value = "20s",
                     .summary = "how long an error must persist to end the wait early"},
                    {.name = "namespace",
                     .default_value = "argocd",
                     .summary = "where the Applications are"},
                },
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<WaitStage>(); },
};

}  // namespace blackstart::stages
