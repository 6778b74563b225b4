// kube.namespace: namespaces with their labels, before anything goes into them.
#include <boost/json/object.hpp>

#include "stages/kube/objects.h"

namespace blackstart::stages {
namespace {

using plan::OptionType;

/// The entries of `metadata.<key>` as JSON; values are strings there, whatever YAML made of them.
boost::json::object strings(const plan::Value& map) {
  boost::json::object result;
  for (const auto& [key, value] : map.as_map()) result[key] = value.as_text();
  return result;
}

boost::json::value namespace_object(engine::Context& context, const std::string& name) {
  boost::json::object metadata{{"name", name}};
  for (const char* key : {"labels", "annotations"})
    if (context.has(key)) metadata[key] = strings(context.option(key));
  return boost::json::object{
      {"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", std::move(metadata)}};
}

class NamespaceStage final : public ObjectsStage {
 protected:
  Task<Wanted> load(engine::Context& context) override {
    std::vector<std::string> names = context.texts("names");
    if (context.has("name")) names = {context.text("name")};
    Wanted wanted;
    for (const auto& name : names)
      wanted.objects.push_back({namespace_object(context, name), context.stage().place});
    wanted.what = (names.size() == 1 ? "namespace " : "namespaces ") + join(names, ", ");
    co_return wanted;
  }
};

}  // namespace

extern const engine::StageType kKubeNamespace;
const engine::StageType kKubeNamespace{
    .schema =
        {
            .name = "kube.namespace",
            .summary = "Namespaces with their labels and annotations.",
            .options =
                {
                    {.name = "name", .summary = "the namespace"},
                    {.name = "names",
                     .type = OptionType::kList,
                     .summary = "several namespaces",
                     .fields = {{.name = "name", .summary = "a namespace"}}},
                    {.name = "labels",
                     .type = OptionType::kMap,
                     .summary = "labels, e.g. of Pod Security: pod-security.kubernetes.io/enforce",
                     .fields = {{.name = plan::kAnyKey, .summary = "the value, a text"}}},
                    {.name = "annotations",
                     .type = OptionType::kMap,
                     .summary = "annotations",
                     .fields = {{.name = plan::kAnyKey, .summary = "the value, a text"}}},
                },
            .one_of = {{"name", "names"}},
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<NamespaceStage>(); },
};

}  // namespace blackstart::stages
