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

/// When a manager first wrote fields of the object itself; empty when it never did. RFC 3339 in
/// UTC: compares as text.
std::string first_write(const boost::json::value& live, bool ours) {
  const auto* entries = kube::find(live, {"metadata", "managedFields"});
  std::string first;
  if (!entries || !entries->is_array()) return first;
  for (const auto& entry : entries->get_array()) {
    if (!kube::text_at(entry, {"subresource"}).empty()) continue;
    if ((kube::text_at(entry, {"manager"}) == "blackstart") != ours) continue;
    std::string time = kube::text_at(entry, {"time"});
    if (first.empty() || time < first) first = time;
  }
  return first;
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

  /// Ours to delete is only what we made: labels may also have been put on one that was there
  /// before.
  bool is_ours(const kube::ObjectState& state) const override {
    std::string ours = first_write(state.live, true);
    std::string others = first_write(state.live, false);
    return !ours.empty() && (others.empty() || ours <= others);
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
                     .summary = "labels, e.g. of Pod Security: pod-security.kubernetes.io/enforce"},
                    {.name = "annotations", .type = OptionType::kMap, .summary = "annotations"},
                },
            .one_of = {{"name", "names"}},
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<NamespaceStage>(); },
};

}  // namespace blackstart::stages
