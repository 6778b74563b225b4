#include "stages/kube/siblings.h"

#include <map>

#include "stages/catalog.h"
#include "stages/kube/applied.h"
#include "stages/kube/objects.h"

namespace blackstart::stages {
namespace {

/// Who brings a definition, in this run.
struct DefinitionOwners {
  std::map<std::string, std::string> stages;  // by name of the definition
};

/// Whether a namespace is the default one or left out is the same to who asks.
Task<void> add_wanted(engine::Context& context, const plan::Stage& stage,
                      std::set<kube::ObjectRef>& names) {
  auto beside = context.beside(stage);
  if (stage.uses == "kube.secret")  // not one of a set of manifests
    names.emplace("", "Secret", beside->text("namespace"), beside->text("name"));
  auto implementation = catalog().find(stage.uses)->make();
  auto* objects = dynamic_cast<ObjectsStage*>(implementation.get());
  if (!objects) co_return;
  Wanted wanted = co_await objects->load(*beside);
  for (const auto& manifest : wanted.objects) {
    kube::ObjectRef ref = manifest.ref().without_version();
    names.insert(ref);
    if (!ref.name_space.empty()) continue;
    ref.name_space = wanted.default_namespace;
    names.insert(ref);
  }
}

}  // namespace

Task<std::set<kube::ObjectRef>> wanted_by_others(engine::Context& context, std::string& unknown) {
  std::set<kube::ObjectRef> names;
  for (const plan::Stage& stage : context.plan().stages) {
    if (stage.name == context.stage().name) continue;
    try {
      co_await add_wanted(context, stage, names);
    } catch (const plan::NotKnownYet&) {
      unknown = stage.name;
    } catch (const Error& error) {
      if (error.error_class() == ErrorClass::kCancelled) throw;
      unknown = stage.name;
    }
  }
  co_return names;
}

std::string rival_for_definitions(engine::Context& context, const kube::Manifests& objects) {
  auto owners = context.shared().get_or_make<DefinitionOwners>(
      "definitions", [] { return std::make_shared<DefinitionOwners>(); });
  const std::string& self = context.stage().name;
  for (const auto& manifest : objects) {
    const kube::ObjectRef ref = manifest.ref();
    if (ref.kind != "CustomResourceDefinition" || ref.group() != "apiextensions.k8s.io") continue;
    const std::string& owner = owners->stages.try_emplace(ref.name, self).first->second;
    if (owner != self)
      return ref.to_string() + " comes from stage " + owner + " and from stage " + self;
  }
  return {};
}

}  // namespace blackstart::stages
