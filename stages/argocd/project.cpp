// argocd.project: AppProjects, before the Applications that name them.
#include "stages/argocd/declared.h"

namespace blackstart::stages {

extern const engine::StageType kArgocdProject;
const engine::StageType kArgocdProject{
    .schema =
        {
            .name = "argocd.project",
            .summary = "AppProjects of Argo CD, from a file or inline.",
            .options = argocd::declared_options("AppProject"),
            .one_of = argocd::declared_choice(),
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> {
      return std::make_unique<argocd::DeclaredStage>("AppProject");
    },
};

}  // namespace blackstart::stages
