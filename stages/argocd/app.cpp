// argocd.app: Applications, the root of an app of apps above all.
#include "stages/argocd/application.h"
#include "stages/argocd/declared.h"
#include "stages/argocd/revisions.h"
#include "stages/order.h"

namespace blackstart::stages {
namespace {

class AppStage final : public argocd::DeclaredStage {
 public:
  AppStage() : DeclaredStage("Application") {}

 protected:
  void lint(engine::Context& context, const kube::Manifest& manifest) const override;
};

/// "Application argocd/root (bootstrap/root.yaml:4:3)".
std::string title_of(const kube::Manifest& manifest) {
  return manifest.ref().to_string() +
         (manifest.place.known() ? " (" + manifest.place.to_string() + ")" : "");
}

void lint_shape(engine::Context& context, const kube::Manifest& manifest) {
  std::string title = title_of(manifest);
  bool one = kube::find(manifest.object, {"spec", "source"}) != nullptr;
  bool many = kube::find(manifest.object, {"spec", "sources"}) != nullptr;
  if (one && many)
    context.warn(title + " has both `source` and `sources`: Argo CD uses `sources` alone",
                 "remove one of them");
  if (!one && !many) context.warn(title + " has no source", "add spec.source");
  if (kube::find(manifest.object, {"spec", "destination"}) == nullptr)
    context.warn(title + " has no destination", "add spec.destination");
}

/// A root that brings its own project waits for itself.
void lint_project(engine::Context& context, const kube::Manifest& manifest) {
  std::string project = kube::text_at(manifest.object, {"spec", "project"});
  if (project.empty()) context.warn(title_of(manifest) + " names no project", "add spec.project");
  if (project.empty() || project == "default") return;
  std::string title = title_of(manifest) + " is in project " + project;
  auto projects = stages_of_type(context.plan(), context.stage(), "argocd.project");
  if (projects.all.empty())
    context.warn(
        title + ", which no stage of this plan declares",
        "add an argocd.project stage before this one, unless the project is there already");
  else if (projects.before.empty())
    context.warn(title + ", and no argocd.project stage comes before stage " + context.stage().name,
                 "add stage " + projects.all.front()->name + " to its `needs`");
}

/// Without its credentials the first look at the repository fails, and Argo CD remembers that.
void lint_repositories(engine::Context& context, const kube::Manifest& manifest) {
  const Files& files = context.world().files;
  auto repositories = stages_of_type(context.plan(), context.stage(), "argocd.repository");
  for (const plan::Stage* stage : repositories.all) {
    std::string url = written_option(*stage, "url");
    bool before = std::ranges::find(repositories.before, stage) != repositories.before.end();
    if (url.empty() || before) continue;
    for (const argocd::Source& source : argocd::sources_of(manifest.object)) {
      if (argocd::repository_name(files, source.repo_url) != argocd::repository_name(files, url))
        continue;
      context.warn(title_of(manifest) + " is read from " + url + ", and stage " + stage->name +
                       ", which gives Argo CD access to it, does not come before stage " +
                       context.stage().name,
                   "add stage " + stage->name + " to its `needs`");
    }
  }
}

void AppStage::lint(engine::Context& context, const kube::Manifest& manifest) const {
  lint_shape(context, manifest);
  lint_project(context, manifest);
  lint_repositories(context, manifest);
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
