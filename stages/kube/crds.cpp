// kube.crds: CustomResourceDefinitions, before anything that uses them; never a step back.
#include <map>

#include "orchestrator/world/async.h"
#include "stages/chart.h"
#include "stages/kube/crd_versions.h"
#include "stages/kube/download.h"
#include "stages/kube/objects.h"
#include "stages/kube/sources.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

constexpr size_t kNamedInstances = 3;
constexpr Duration kDiscoveryPause = std::chrono::milliseconds(100);

struct Source {
  kube::Manifests objects;
  std::string label;
};

// Whole aggregates stay out of the coroutine below: g++ 12 destroys such temporaries twice.
Source source_of(kube::Manifests objects, std::string label) {
  return {std::move(objects), std::move(label)};
}

Task<Source> read_source(engine::Context& context, const plan::Value& source) {
  const plan::Value* path = source.given("path");
  const plan::Value* url = source.given("url");
  const plan::Value* chart = source.given("chart");
  if ((path != nullptr) + (url != nullptr) + (chart != nullptr) != 1)
    throw Error(ErrorClass::kUsage, "a source is either {path}, {url} or {chart}").at(source.place);
  if (path != nullptr)
    co_return source_of(read_path(context, path->as_text()), shown(context, path->as_text()));
  if (url != nullptr) {
    std::string text = co_await download(context, source);
    co_return source_of(read_text(text, url->as_text()), url->as_text());
  }
  std::string label = "chart " + chart_label(context, *chart);
  std::string text = co_await render_chart(context, source);
  co_return source_of(read_text(text, label), label);
}

bool is_crd(const kube::Manifest& manifest) {
  kube::ObjectRef ref = manifest.ref();
  return ref.kind == "CustomResourceDefinition" && ref.group() == "apiextensions.k8s.io";
}

/// Gateway API installs a policy with its definitions that keeps them from changing channel.
std::string hint_for_policy(const std::string& refusal) {
  if (refusal.find("safe-upgrades.gateway.networking.k8s.io") == refusal.npos) return {};
  return "Gateway API's own ValidatingAdmissionPolicy refuses experimental definitions over "
         "standard ones, and releases before 1.5: install the channel that the cluster has or, if "
         "the change is meant, delete ValidatingAdmissionPolicyBinding and "
         "ValidatingAdmissionPolicy safe-upgrades.gateway.networking.k8s.io first";
}

/// "/apis/GROUP/VERSION/PLURAL" of a version that is served: the stored one if it is, for that
/// needs no conversion webhook. Each shows all objects.
std::string path_of_instances(const boost::json::value& crd) {
  std::string chosen;
  for (const auto& version : kube::list_at(crd, {"spec", "versions"})) {
    if (!kube::flag_at(version, {"served"})) continue;
    if (chosen.empty() || kube::flag_at(version, {"storage"}))
      chosen = kube::text_at(version, {"name"});
  }
  if (chosen.empty())
    throw Error(ErrorClass::kPermanent,
                "CustomResourceDefinition " + kube::text_at(crd, {"metadata", "name"}) +
                    " serves no version: whether objects of it exist cannot be seen")
        .hint("serve one of its versions, or delete the definition by hand");
  return "/apis/" + kube::text_at(crd, {"spec", "group"}) + "/" + chosen + "/" +
         kube::text_at(crd, {"spec", "names", "plural"});
}

/// "Application argocd/root" for a few objects of a definition; empty when there is none.
Task<void> name_instances(kube::Client& client, const boost::json::value& crd,
                          std::vector<std::string>& names) {
  std::string path = path_of_instances(crd);
  auto list = co_await client.get_path(path + "?limit=" + std::to_string(kNamedInstances));
  if (!list) co_return;
  for (const auto& item : kube::list_at(*list, {"items"})) {
    kube::ObjectRef ref{"", kube::text_at(crd, {"spec", "names", "kind"}),
                        kube::text_at(item, {"metadata", "namespace"}),
                        kube::text_at(item, {"metadata", "name"})};
    names.push_back(ref.to_string());
  }
}

/// The first kind of a definition that discovery does not name yet, as a sentence; empty when it
/// names all.
Task<std::string> kind_not_served(kube::Client& client, const boost::json::value& crd) {
  std::string kind = kube::text_at(crd, {"spec", "names", "kind"});
  std::string group = kube::text_at(crd, {"spec", "group"});
  for (const auto& version : kube::list_at(crd, {"spec", "versions"})) {
    if (!kube::flag_at(version, {"served"})) continue;
    std::string api_version = group + "/" + kube::text_at(version, {"name"});
    auto served = co_await client.resource(api_version, kind);
    if (!served)
      co_return "the API server does not serve " + kind + " of " + api_version +
          " yet, though its definition is Established";
  }
  co_return std::string();
}

class CrdsStage final : public ObjectsStage {
 public:
  /// Done means that a later stage can use the kinds: discovery follows the definitions after a
  /// while.
  Task<Observation> observe(engine::Context& context) override {
    unserved_.clear();
    Observation seen = co_await ObjectsStage::observe(context);
    if (!seen.is_present()) co_return seen;
    auto client = co_await connect(context);
    for (const auto& state : states()) {
      unserved_ = co_await kind_not_served(*client, state.live);
      if (!unserved_.empty()) co_return Observation::differs(unserved_);
    }
    co_return seen;
  }

  Decision decide(const Observation& seen) const override {
    if (!unserved_.empty()) return Decision::wait(unserved_);
    return ObjectsStage::decide(seen);
  }

  Task<void> changed(engine::Context& context) override {
    if (unserved_.empty()) co_return co_await ObjectsStage::changed(context);
    Clock& clock = context.world().clock;
    co_await clock.sleep_until(clock.now() + kDiscoveryPause);  // discovery cannot be watched
  }

  Task<void> act(engine::Context& context, const Action& action) override {
    // Looked for right before, and then only: with a definition every object of it is gone at once,
    // and what cannot be listed may be there.
    if (action.id == "remove") co_await refuse_when_in_use(context);
    try {
      co_await ObjectsStage::act(context, action);
    } catch (Error& error) {
      error.hint(hint_for_policy(error.full_text()));
      throw;
    }
  }

 protected:
  Task<Wanted> load(engine::Context& context) override {
    Wanted wanted;
    std::map<std::string, std::string> seen;  // name of the definition -> its source
    for (const plan::Value& value : context.option("sources").as_list()) {
      Source source = co_await read_source(context, value);
      size_t before = wanted.objects.size();
      for (auto& manifest : source.objects) {
        if (!is_crd(manifest)) continue;
        auto [other, fresh] = seen.emplace(manifest.ref().name, source.label);
        if (!fresh)
          throw Error(ErrorClass::kUsage, "CustomResourceDefinition " + manifest.ref().name +
                                              " comes from " + other->second + " and from " +
                                              source.label)
              .at(value.place)
              .hint("each definition has one owner: leave one of the two out");
        wanted.objects.push_back(std::move(manifest));
      }
      if (wanted.objects.size() == before)
        throw Error(ErrorClass::kUsage, source.label + " holds no CustomResourceDefinition")
            .at(value.place);
    }
    wanted.what = count_of(wanted.objects.size(), "CustomResourceDefinition");
    wanted.force = context.flag("force");
    allow_downgrade_ = context.flag("allowDowngrade");
    co_return wanted;
  }

  Task<std::optional<Decision>> inspect(engine::Context&, kube::Client&) override {
    auto newer = reasons(why_downgrade);
    if (!newer.empty() && !allow_downgrade_)
      co_return refusal("the cluster has newer definitions than the plan wants",
                        "raise the version in the plan, or set `allowDowngrade: true` if stepping "
                        "back is meant",
                        std::move(newer));
    auto unmigrated = reasons(why_unmigrated);
    if (unmigrated.empty()) co_return std::nullopt;
    co_return refusal(
        "objects in the cluster may be stored in versions that the wanted definitions drop",
        "migrate them: write each object once as it is, then take the old version out of the "
        "definition's status.storedVersions",
        std::move(unmigrated));
  }

 private:
  using Why = std::string (*)(const boost::json::value& wanted, const boost::json::value& live);

  /// Of all definitions that differ and have one: "NAME: WHY".
  std::vector<std::string> reasons(Why why) const {
    std::vector<std::string> found;
    for (size_t i = 0; i < states().size(); ++i) {
      const auto& state = states()[i];
      if (state.presence != kube::Presence::kDiffers) continue;
      std::string reason = why(wanted().objects[i].object, state.live);
      if (!reason.empty()) found.push_back(state.ref.name + ": " + reason);
    }
    return found;
  }

  static Decision refusal(const char* reason, const char* hint, std::vector<std::string> causes) {
    Decision blocked = Decision::blocked(reason, hint);
    blocked.causes = std::move(causes);
    return blocked;
  }

  Task<void> refuse_when_in_use(engine::Context& context) {
    auto client = co_await connect(context);
    std::vector<std::string> found;
    std::vector<std::function<Task<void>()>> looks;
    for (const auto& state : states())
      if (is_ours(state))
        looks.push_back(
            [&client, &state, &found] { return name_instances(*client, state.live, found); });
    co_await run_all(context.world().executor, std::move(looks), 8);
    if (found.empty()) co_return;
    std::string more = found.size() > kNamedInstances ? " and more" : "";
    found.resize(std::min(found.size(), kNamedInstances));
    throw Error(ErrorClass::kPermanent,
                "objects of these definitions exist: " + join(found, ", ") + more)
        .hint("remove them first; with the definitions they would all be deleted");
  }

  std::string unserved_;  // what discovery does not name yet; empty = nothing
  bool allow_downgrade_ = false;
};

}  // namespace

extern const engine::StageType kKubeCrds;
const engine::StageType kKubeCrds{
    .schema =
        {
            .name = "kube.crds",
            .summary = "CustomResourceDefinitions from files or charts, Established; never older "
                       "than what is there.",
            .options =
                {
                    {.name = "sources",
                     .type = OptionType::kList,
                     .required = true,
                     .summary = "where the definitions come from; other kinds are left out",
                     .fields = {{.name = "source",
                                 .type = OptionType::kMap,
                                 .summary = "one of path, url, chart",
                                 .fields = with_url_fields(with_render_fields(
                                     {{.name = "path",
                                       .type = OptionType::kPath,
                                       .summary = "manifest file or folder"},
                                      {.name = "chart",
                                       .type = OptionType::kMap,
                                       .summary = "chart whose definitions are taken",
                                       .fields = chart_fields()},
                                      {.name = "namespace",
                                       .summary = "of the chart's release; default: default",
                                       .in_argv = true}}))}}},
                    {.name = "allowDowngrade",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "put older definitions in the place of newer ones"},
                    {.name = "force",
                     .type = OptionType::kBoolean,
                     .default_value = "false",
                     .summary = "take over fields that other managers own"},
                },
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<CrdsStage>(); },
};

}  // namespace blackstart::stages
