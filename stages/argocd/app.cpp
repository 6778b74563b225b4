// argocd.app: Applications, the root of an app of apps above all.
#include "stages/argocd/declared.h"

namespace blackstart::stages {
namespace {

class AppStage final : public argocd::DeclaredStage {
 public:
  AppStage() : DeclaredStage("Application") {}

 protected:
  void lint(engine::Context& context, const kube::Manifest& manifest) const override;
};

bool plan_declares_projects(const plan::Plan& plan) {
  return std::any_of(plan.stages.begin(), plan.stages.end(),
                     [](const plan::Stage& stage) { return stage.uses == "argocd.project"; });
}

void AppStage::lint(engine::Context& context, const kube::Manifest& manifest) const {
  std::string name = manifest.ref().to_string();
  std::string where = manifest.place.known() ? " (" + manifest.place.to_string() + ")" : "";
  bool one = kube::find(manifest.object, {"spec", "source"}) != nullptr;
  bool many = kube::find(manifest.object, {"spec", "sources"}) != nullptr;
  if (one && many)
    context.warn(name + where + " has both `source` and `sources`: Argo CD uses `sources` alone",
                 "remove one of them");
  if (!one && !many) context.warn(name + where + " has no source", "add spec.source");
  if (kube::find(manifest.object, {"spec", "destination"}) == nullptr)
    context.warn(name + where + " has no destination", "add spec.destination");
  std::string project = kube::text_at(manifest.object, {"spec", "project"});
  if (project.empty()) {
    context.warn(name + where + " names no project", "add spec.project");
  } else if (project != "default" && !plan_declares_projects(context.plan())) {
    // A root that brings its own project waits for itself.
    context.warn(
        name + where + " is in project " + project + ", which no stage of this plan declares",
        "add an argocd.project stage before this one, unless the project is there already");
  }
}

}  // namespace

extern const engine::StageType kArgocdApp;
const engine::StageType kArgocdApp{
    .schema =
        {
            .name = "argocd.app",
            .summary = "Applications of Argo CD, such as the root, from a file or inline.",
            .options = argocd::declared_options("Application"),
            .one_of = argocd::declared_choice(),
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<AppStage>(); },
};

}  // namespace blackstart::stages
