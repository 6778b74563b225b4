// The one list of all stage types.
#include "stages/catalog.h"

#include <algorithm>
#include <array>

namespace blackstart::stages {

extern const engine::StageType kArgocdApp;
extern const engine::StageType kArgocdAppset;
extern const engine::StageType kArgocdHost;
extern const engine::StageType kArgocdProject;
extern const engine::StageType kArgocdRepository;
extern const engine::StageType kArgocdWait;
extern const engine::StageType kClusterExisting;
extern const engine::StageType kExec;
extern const engine::StageType kHelmRelease;
extern const engine::StageType kHttpRequest;
extern const engine::StageType kKubeCrds;
extern const engine::StageType kKubeManifests;
extern const engine::StageType kKubeNamespace;
extern const engine::StageType kKubeSecret;
extern const engine::StageType kKubeWait;
extern const engine::StageType kKwokCluster;

namespace {

const engine::StageType* const kTypes[] = {
    &kKwokCluster,       //
    &kClusterExisting,   //
    &kKubeCrds,          //
    &kKubeNamespace,     //
    &kKubeManifests,     //
    &kKubeSecret,        //
    &kKubeWait,          //
    &kHelmRelease,       //
    &kArgocdRepository,  //
    &kArgocdProject,     //
    &kArgocdApp,         //
    &kArgocdAppset,      //
    &kArgocdHost,        //
    &kArgocdWait,        //
    &kHttpRequest,       //
    &kExec,              //
};

class LiteralCatalog final : public engine::Catalog {
 public:
  const engine::StageType* find(std::string_view uses) const override {
    auto found =
        std::find_if(std::begin(kTypes), std::end(kTypes),
                     [&](const engine::StageType* type) { return type->schema.name == uses; });
    return found == std::end(kTypes) ? nullptr : *found;
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto* type : kTypes) names.push_back(type->schema.name);
    return names;
  }
};

}  // namespace

const engine::Catalog& catalog() {
  static const LiteralCatalog the_catalog;
  return the_catalog;
}

}  // namespace blackstart::stages
