// helm.release: one Helm release, as the plan wants it.
//
// What stands in the cluster is read from helm's own records and from the objects themselves; helm
// runs only to change something. It never waits: readiness is watched here, where it can be
// explained.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/evidence.h"
#include "stages/chart.h"
#include "stages/helm/helm_command.h"
#include "stages/helm/hooks.h"
#include "stages/helm/maker.h"
#include "stages/helm/ownership.h"
#include "stages/helm/redis_secret.h"
#include "stages/helm/release_objects.h"
#include "stages/helm/release_options.h"
#include "stages/helm/release_record.h"
#include "stages/helm/situation.h"
#include "stages/kube/explainer.h"
#include "stages/kube/grace.h"
#include "stages/kube/sources.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Context;
using engine::Decision;
using engine::Observation;
using helm::Release;
using helm::Situation;
using plan::OptionType;

constexpr const char* kMarkFile = "/helm-at-work.json";
constexpr const char* kSetFile = "/set.json";

class HelmRelease final : public engine::Stage {
 public:
  Task<Observation> observe(Context& context) override;
  Decision decide(const Observation& seen) const override {
    return helm::decide_release(wanted_, situation_, seen);
  }
  Task<void> act(Context& context, const Action& action) override;
  Task<void> changed(Context& context) override;
  Decision decide_removal(const Observation& seen) const override {
    return helm::decide_release_removal(wanted_, situation_, seen);
  }
  Task<void> close(Context&) override { co_await objects_.stop(); }

 private:
  Task<void> read_records(Context& context);
  Task<void> read_records(std::string selector);
  Task<void> look_at_objects(Context& context, const Release& release);
  Task<void> look_at_applications(helm::ObjectsState& state);
  Task<void> explain(Context& context, const helm::ObjectsState& state);
  Task<void> run(Context& context, std::vector<std::string> arguments, const engine::Tool& helm,
                 int64_t revision, std::string what);
  int64_t newest_revision() const;
  Task<void> upgrade(Context& context);
  Task<std::optional<Error>> try_upgrade(Context& context, const engine::Tool& helm,
                                         std::vector<std::string> arguments);
  Task<std::vector<helm::Foreign>> find_foreign(Context& context, const engine::Tool& helm,
                                                std::vector<std::string> arguments);
  Task<void> prepare_to_take(Context& context, const engine::Tool& helm,
                             std::vector<std::string>& arguments);
  Task<std::string> find_hooks(Context& context);
  Task<void> explain_failure(Context& context, const engine::Tool& helm,
                             std::vector<std::string> arguments, Error& failure);
  Task<void> forget(std::string secret);
  helm::Target target() const;

  std::optional<std::string> read_for_;  // the input digest that `wanted_` was read for
  helm::WantedRelease wanted_;
  Situation situation_;
  std::shared_ptr<kube::Client> client_;    // outlives the watches of `objects_`
  std::map<std::string, Release> decoded_;  // by Secret and resourceVersion: decoding is not free
  std::vector<Release> releases_;
  std::string manifest_of_;  // the key into decoded_ that `objects_` was set from
  helm::ReleaseObjects objects_;
  Explainer explainer_;
  Grace grace_;
};

/// The revision of `release` that a helm of ours was making or taking away when it or we died; 0
/// when none was.
int64_t interrupted_revision(Context& context, const std::string& release) {
  std::string path = context.folder() + kMarkFile;
  if (context.world().files.kind(path) != FileKind::kFile) return 0;
  boost::json::error_code failed;
  auto mark = boost::json::parse(context.world().files.read(path, 4096), failed);
  // The stage may have had another release before.
  if (failed || kube::text_at(mark, {"release"}) != release) return 0;
  return kube::number_at(mark, {"revision"});
}

/// What a run left behind that died right after helm had ended: a mark that would claim a later
/// helm's record, values that may be secret, and helm's home.
void drop_leftovers(Context& context) {
  for (const char* name : {kMarkFile, kSetFile, helm::kHomeFolder}) {
    std::string path = context.folder() + name;
    if (context.world().files.kind(path) != FileKind::kMissing)
      context.world().files.remove_all(path);
  }
}

/// The plan's inline values as a file of helm's, which may hold secrets: however the upgrade ends,
/// or is cancelled, it goes. None is written for no values.
class SetFile {
 public:
  SetFile(Context& context, const boost::json::value& set)
      : files_(context.world().files), path_(context.folder() + kSetFile) {
    if (!set.as_object().empty()) files_.write(path_, boost::json::serialize(set));
  }
  ~SetFile() {
    try {
      files_.remove_all(path_);
    } catch (const Error&) {
      // The next look drops what was left behind.
    }
  }
  SetFile(const SetFile&) = delete;
  SetFile& operator=(const SetFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  Files& files_;
  std::string path_;
};

Task<void> HelmRelease::read_records(Context& context) {
  std::string selector = "owner=helm,name=" + wanted_.release;
  co_await read_records(selector + ",status!=superseded");
  // helm died between superseding the old revision and completing the new one, or the newest record
  // was taken away: the old ones are needed. So they are to tell who installed it.
  const Release* current = helm::newest(releases_);
  if (current == nullptr || !helm::maker_is_noted(context, wanted_) ||
      (current->unfinished() && helm::last_good(releases_, current->revision) == nullptr))
    co_await read_records(selector);
}

Task<void> HelmRelease::read_records(std::string selector) {
  auto list = co_await client_->list("v1", "Secret", wanted_.name_space, std::move(selector));
  std::map<std::string, Release> decoded;
  releases_.clear();
  if (!list) co_return;
  for (const boost::json::value& secret : list->items) {
    std::string key = kube::text_at(secret, {"metadata", "name"}) + "@" +
                      kube::text_at(secret, {"metadata", "resourceVersion"});
    auto known = decoded_.find(key);
    decoded[key] =
        known != decoded_.end() ? std::move(known->second) : helm::decode_release(secret);
    decoded[key].record = key;
  }
  decoded_ = std::move(decoded);
  for (const auto& [key, release] : decoded_) releases_.push_back(release);
}

Task<Observation> HelmRelease::observe(Context& context) {
  situation_ = {};
  if (read_for_ != context.digest()) {
    wanted_ = helm::read_wanted(context);
    helm::lint_redis_secret(context, wanted_);
    read_for_ = context.digest();
  }
  if (auto stage = waits_for_cluster(context)) co_return Observation::deferred(*stage);
  client_ = co_await connect(context);
  co_await read_records(context);
  const Release* current = helm::newest(releases_);
  situation_ = helm::judge_record(wanted_, releases_, interrupted_revision(context, wanted_.name()),
                                  context.world().clock.wall_time());
  if (current == nullptr) co_await helm::forget_maker(context, wanted_);
  situation_.installed_here = helm::installed_here(context, wanted_, releases_);
  bool unfinished = current != nullptr && current->unfinished();
  if (!unfinished && !context.read_only) drop_leftovers(context);
  if (current != nullptr && !current->manifest.empty()) co_await look_at_objects(context, *current);
  co_return helm::describe_release(wanted_, situation_, current);
}

Task<void> HelmRelease::look_at_objects(Context& context, const Release& release) {
  if (manifest_of_ != release.record) {
    co_await objects_.set_manifest(client_, release.manifest, wanted_.name_space,
                                   "release " + wanted_.name());
    manifest_of_ = release.record;
  }
  // An unfinished or outdated release is changed first; its objects matter after that.
  helm::ObjectsState state = co_await objects_.look();
  if (objects_.is_argocd() || !state.handed_over.empty()) co_await look_at_applications(state);
  helm::judge_objects(wanted_, state, situation_);
  bool lasted = grace_.is_over(context.world().clock.now(), situation_.stalled, wanted_.grace);
  if (lasted) situation_.kind = Situation::Kind::kStuck;
  if (!situation_.unready.empty()) co_await explain(context, state);
  if (lasted) situation_.reason += unchanged_for(wanted_.grace);
}

/// The Application that the objects were handed over to. Argo CD's marks outlive one that was
/// deleted alone: then nobody manages the objects.
Task<void> HelmRelease::look_at_applications(helm::ObjectsState& state) {
  auto applications = co_await client_->list("argoproj.io/v1alpha1", "Application", "");
  if (applications) {
    if (objects_.is_argocd()) situation_.applications = applications->items.size();
    for (boost::json::value& one : applications->items) {
      std::string name = kube::text_at(one, {"metadata", "name"});
      std::string whole = kube::text_at(one, {"metadata", "namespace"}) + "_" + name;
      if (state.handed_over == name || state.handed_over == whole) state.keeper = std::move(one);
    }
  }
  if (state.keeper.is_null()) state.handed_over.clear();
}

Task<void> HelmRelease::explain(Context& context, const helm::ObjectsState& state) {
  bool stuck = situation_.kind == Situation::Kind::kStuck;
  kube::Diagnosis diagnosis =
      co_await explainer_.explain(context, *client_, state.first_unready, stuck);
  if (diagnosis.chain.empty()) co_return;
  situation_.reason = helm::describe_unready(wanted_, state, diagnosis.sentence());
  situation_.causes = std::move(diagnosis.details);
}

/// The context that was verified, also when the plan names none: the file may have got another
/// current one meanwhile.
helm::Target HelmRelease::target() const {
  const kube::Endpoint& endpoint = client_->endpoint();
  return {endpoint.kubeconfig, endpoint.context, endpoint.exec.has_value()};
}

int64_t HelmRelease::newest_revision() const {
  const Release* newest = helm::newest(releases_);
  return newest == nullptr ? 0 : newest->revision;
}

/// `revision`: the one that helm makes or takes away.
Task<void> HelmRelease::run(Context& context, std::vector<std::string> arguments,
                            const engine::Tool& helm, int64_t revision, std::string what) {
  // The mark tells the next run that an unfinished record of this revision is ours, and its helm
  // dead.
  boost::json::object mark{{"release", wanted_.name()}, {"revision", revision}};
  std::string path = context.folder() + kMarkFile;
  context.world().files.write(path, boost::json::serialize(mark));
  co_await helm::run_helm(context, helm, target(), std::move(arguments), std::move(what));
  context.world().files.remove_all(path);
}

Task<void> HelmRelease::upgrade(Context& context) {
  engine::Tool helm = co_await helm::require_helm(context, wanted_);
  co_await helm::note_maker(context, wanted_, helm::newest(releases_) != nullptr);
  std::vector<std::string> values = wanted_.values_files;
  SetFile set_file(context, wanted_.set);
  if (!wanted_.set.as_object().empty()) values.push_back(set_file.path());
  auto arguments = helm::upgrade_arguments(wanted_, values, helm.major(), target());
  auto failure = co_await try_upgrade(context, helm, arguments);
  if (failure && wanted_.take_ownership && helm::speaks_of_ownership(*failure)) {
    co_await prepare_to_take(context, helm, arguments);
    failure = co_await try_upgrade(context, helm, arguments);
  }
  if (failure) co_await explain_failure(context, helm, std::move(arguments), *failure);
  if (failure) throw std::move(*failure);
}

Task<std::optional<Error>> HelmRelease::try_upgrade(Context& context, const engine::Tool& helm,
                                                    std::vector<std::string> arguments) {
  std::optional<Error> failure;
  try {
    co_await run(context, std::move(arguments), helm, newest_revision() + 1,
                 "installing release " + wanted_.name());
  } catch (Error& error) {
    failure = std::move(error);
  }
  co_return failure;
}

/// All of those that are not the release's; helm itself names the first alone.
Task<std::vector<helm::Foreign>> HelmRelease::find_foreign(Context& context,
                                                           const engine::Tool& helm,
                                                           std::vector<std::string> arguments) {
  std::string manifest = co_await helm::rehearsed_manifest(
      context, helm, target(), std::move(arguments), "trying out release " + wanted_.name());
  co_return co_await helm::find_foreign(*client_, wanted_, std::move(manifest));
}

/// Told to take ownership, helm takes whatever is there. So it is told only after it has refused
/// without, and all that it would take was seen to belong to no release. By then the chart's own
/// definitions are in the cluster: before, helm cannot try a chart that has objects of them.
Task<void> HelmRelease::prepare_to_take(Context& context, const engine::Tool& helm,
                                        std::vector<std::string>& arguments) {
  auto found = co_await find_foreign(context, helm, arguments);
  if (auto refused = helm::refuse_to_take(wanted_, found)) throw std::move(*refused);
  if (found.empty()) co_return;  // gone meanwhile
  context.progress("taking over " + count_of(found.size(), "object") + " into release " +
                   wanted_.name());
  helm::take_ownership(arguments, helm.major());
}

/// Those of the revision that helm recorded last, though it failed.
Task<std::string> HelmRelease::find_hooks(Context& context) {
  co_await read_records(context);
  const Release* newest = helm::newest(releases_);
  co_return newest == nullptr ? std::string() : newest->hooks;
}

/// helm's words and what they leave out.
Task<void> HelmRelease::explain_failure(Context& context, const engine::Tool& helm,
                                        std::vector<std::string> arguments, Error& failure) {
  if (helm::speaks_of_ownership(failure)) {
    auto look = find_foreign(context, helm, std::move(arguments));
    auto found = co_await kube::if_readable(std::move(look));
    helm::explain_foreign(found, failure);
  }
  std::string hooks = co_await kube::if_readable(find_hooks(context));
  co_await helm::explain_hooks(*client_, std::move(hooks), wanted_.name_space, failure);
}

Task<void> HelmRelease::forget(std::string secret) {
  kube::ObjectRef ref{"v1", "Secret", wanted_.name_space, std::move(secret)};
  co_await client_->remove(ref);
}

Task<void> HelmRelease::act(Context& context, const Action& action) {
  context.progress(action.summary);
  client_ = co_await connect(context);
  if (action.id == "forget") {
    co_await forget(situation_.secret);
  } else if (action.id == "rollback") {
    engine::Tool helm = co_await helm::require_helm(context, wanted_);
    auto arguments =
        helm::rollback_arguments(wanted_, situation_.rollback_to, helm.major(), target());
    co_await run(context, std::move(arguments), helm, newest_revision() + 1,
                 "rolling back release " + wanted_.name());
  } else if (action.id == "uninstall") {
    engine::Tool helm = co_await helm::require_helm(context, wanted_);
    co_await run(context, helm::uninstall_arguments(wanted_, target()), helm, newest_revision(),
                 "removing release " + wanted_.name());
  } else {
    co_await upgrade(context);
  }
  co_await read_records(context);  // the next action of this decision starts from here
}

Task<void> HelmRelease::changed(Context& context) {
  if (situation_.kind != Situation::Kind::kUnready) return Stage::changed(context);
  return objects_.changed(context.world().executor);
}

}  // namespace

extern const engine::StageType kHelmRelease;
const engine::StageType kHelmRelease{
    .schema =
        {
            .name = "helm.release",
            .summary = "A Helm release, installed or upgraded, with all its objects ready.",
            .options =
                {
                    {.name = "release",
                     .required = true,
                     .summary = "name of the release",
                     .in_argv = true},
                    {.name = "namespace",
                     .required = true,
                     .summary = "namespace of the release",
                     .in_argv = true},
                    {.name = "chart",
                     .type = OptionType::kMap,
                     .required = true,
                     .summary = "the chart: {path}, or {name, repo, version}",
                     .fields = chart_fields()},
                    {.name = "values",
                     .type = OptionType::kList,
                     .summary = "values files; later ones win",
                     .fields =
                         {{.name = "file", .type = OptionType::kPath, .summary = "a values file"}}},
                    {.name = "set",
                     .type = OptionType::kMap,
                     .summary = "values laid over the files; helm gets them in a private file"},
                    {.name = "createNamespace",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "let helm make the namespace"},
                    {.name = "skipCrds",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "leave the chart's crds/ folder to another stage"},
                    {.name = "wait",
                     .type = OptionType::kBoolean,
                     .default_value = "true",
                     .summary = "done means: every object is there and ready"},
                    {.name = "timeout",
                     .type = OptionType::kDuration,
                     .default_value = "5m",
                     .summary = "how long helm gives each hook of the chart"},
                    {.name = "grace",
                     .type = OptionType::kDuration,
                     .default_value = kGraceText,
                     .summary = "how long trouble that may pass must last to end the wait early"},
                    {.name = "unfinishedGrace",
                     .type = OptionType::kDuration,
                     .default_value = "1h",
                     .summary = "for how long the unfinished record of somebody else's helm counts "
                                "as work that goes on"},
                    {.name = "force",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "take over fields that others own (helm 3 always does)"},
                    {.name = "takeOwnership",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "adopt objects that belong to no release (helm 3.17 or newer)"},
                    {.name = "reclaim",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "go on upgrading what an Application of Argo CD manages by now"},
                },
            .outputs = {{"release", "name of the release"},
                        {"namespace", "its namespace"},
                        {"revision", "its revision, as helm counts"},
                        {"chart", "name of the chart"},
                        {"version", "version of the chart"},
                        {"status", "what helm recorded: deployed"}},
            .in_cluster = true,
        },
    .work = engine::Work::kProcess,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<HelmRelease>(); },
    .tools = {"helm"},
};

}  // namespace blackstart::stages
