// kube.manifests: objects from files, a kustomization, a chart or the plan itself.
#include "orchestrator/kube/immutable.h"
#include "stages/chart.h"
#include "stages/kube/download.h"
#include "stages/kube/objects.h"
#include "stages/kube/sources.h"
#include "stages/secret_value.h"

namespace blackstart::stages {
namespace {

using plan::OptionType;

Task<kube::Manifests> from_chart(engine::Context& context) {
  std::string text = co_await render_chart(context, context.options());
  co_return read_text(text, "chart " + chart_label(context, context.option("chart")));
}

std::vector<std::string> recreatable() {
  auto kinds = kube::recreatable_kinds();
  return {kinds.begin(), kinds.end()};
}

class ManifestsStage final : public ObjectsStage {
 protected:
  Task<Wanted> load(engine::Context& context) override {
    Wanted wanted;
    std::string source;
    if (context.has("path")) {
      source = shown(context, context.text("path"));
      wanted.objects = read_path(context, context.text("path"));
    } else if (context.has("url")) {
      source = context.text("url");
      std::string text = co_await download(context, context.options());
      wanted.objects = read_text(text, source);
    } else if (context.has("kustomize")) {
      source = "kustomization " + shown(context, context.text("kustomize"));
      wanted.objects = co_await read_kustomize(context, context.text("kustomize"));
    } else if (context.has("chart")) {
      source = "chart " + chart_label(context, context.option("chart"));
      wanted.objects = co_await from_chart(context);
    } else {
      source = "the plan";
      wanted.objects = read_inline(context.option("inline"));
    }
    for (const auto& manifest : wanted.objects) redact_secret(context, manifest.object);
    wanted.what = count_of(wanted.objects.size(), "object") + " of " + source;
    wanted.default_namespace = context.text("namespace");
    wanted.field_manager = context.text("fieldManager");
    wanted.force = context.flag("force");
    wanted.wait = context.flag("wait");
    wanted.grace = context.option("grace").as_duration();
    wanted.prune = context.flag("prune");
    wanted.recreate = context.texts("recreate");
    co_return wanted;
  }
};

}  // namespace

extern const engine::StageType kKubeManifests;
const engine::StageType kKubeManifests{
    .schema =
        {
            .name = "kube.manifests",
            .summary =
                "Objects from files, a kustomization, a chart or inline, by server-side apply.",
            .options = with_url_fields(with_render_fields({
                {.name = "path", .type = OptionType::kPath, .summary = "manifest file or folder"},
                {.name = "kustomize",
                 .type = OptionType::kPath,
                 .summary = "folder with a kustomization"},
                {.name = "chart",
                 .type = OptionType::kMap,
                 .summary = "chart to render with helm template, hooks left out",
                 .fields = chart_fields()},
                {.name = "inline",
                 .type = OptionType::kAny,
                 .summary = "list of objects, or YAML text"},
                {.name = "namespace",
                 .default_value = "default",
                 .summary = "for namespaced objects that name none"},
                {.name = "force",
                 .type = OptionType::kBoolean,
                 .default_value = "false",
                 .summary = "take over fields that other managers own"},
                {.name = "wait",
                 .type = OptionType::kBoolean,
                 .default_value = "true",
                 .summary = "done when all objects are ready, not only stored"},
                {.name = "grace",
                 .type = OptionType::kDuration,
                 .default_value = kGraceText,
                 .summary = "how long trouble that may pass must last to end the wait early"},
                {.name = "prune",
                 .type = OptionType::kBoolean,
                 .default_value = "false",
                 .summary = "remove what this stage applied earlier and does not name any more"},
                {.name = "recreate",
                 .type = OptionType::kList,
                 .summary = "kinds that are deleted and made again when a field cannot be changed",
                 .fields = {{.name = "kind",
                             .type = OptionType::kEnum,
                             .summary = "a kind that holds no data",
                             .choices = recreatable()}}},
                {.name = "fieldManager",
                 .default_value = "blackstart",
                 .summary = "name that owns the applied fields"},
            })),
            .one_of = {{"path", "url", "kustomize", "chart", "inline"}},
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ManifestsStage>(); },
};

}  // namespace blackstart::stages
