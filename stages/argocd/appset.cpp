// argocd.appset: ApplicationSets, after the projects that their Applications will name.
#include "stages/argocd/declared.h"

namespace blackstart::stages {

extern const engine::StageType kArgocdAppset;
const engine::StageType kArgocdAppset{
    .schema =
        {
            .name = "argocd.appset",
            .summary = "ApplicationSets of Argo CD, from a file or inline.",
            .options = argocd::declared_options("ApplicationSet"),
            .one_of = argocd::declared_choice(),
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> {
      return std::make_unique<argocd::DeclaredStage>("ApplicationSet");
    },
};

}  // namespace blackstart::stages
