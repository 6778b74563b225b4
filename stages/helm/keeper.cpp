#include "stages/helm/keeper.h"

#include <boost/json/array.hpp>
#include <filesystem>
#include <set>

#include "orchestrator/kube/object.h"
#include "stages/helm/values.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

std::vector<const json::value*> sources_of(const json::value& application) {
  std::vector<const json::value*> sources;
  for (const json::value& source : kube::list_at(application, {"spec", "sources"}))
    sources.push_back(&source);
  const json::value* one = kube::find(application, {"spec", "source"});
  if (sources.empty() && one != nullptr) sources.push_back(one);
  return sources;
}

/// Is `path`, of this machine, the file or folder `inside` of a repository?
bool is_at(const std::string& path, const std::string& inside) {
  return path == inside || path.ends_with("/" + inside);
}

/// The source that renders the plan's chart, or null.
const json::value* source_of_chart(const WantedRelease& wanted, const json::value& application) {
  const std::string& path = wanted.chart.reference.path;
  for (const json::value* source : sources_of(application)) {
    std::string there = kube::text_at(*source, {"path"});
    if (path.empty() ? kube::text_at(*source, {"chart"}) == wanted.chart.name
                     : !there.empty() && is_at(path, there))
      return source;
  }
  return nullptr;
}

/// The values files of a source, as paths in the repository: those of a chart in Git are relative
/// to it, "$ref/…" begins at the root of another source.
std::set<std::string> values_files_of(const json::value& source) {
  std::set<std::string> files;
  for (const json::value& file : kube::list_at(source, {"helm", "valueFiles"})) {
    if (!file.is_string()) continue;
    std::string name(file.get_string());
    std::string whole = name.starts_with('$') ? name.substr(name.find('/') + 1)
                                              : kube::text_at(source, {"path"}) + "/" + name;
    files.insert(std::filesystem::path(whole).lexically_normal().string());
  }
  return files;
}

void compare_files(const WantedRelease& wanted, std::set<std::string> there,
                   std::vector<std::string>& phrases) {
  for (size_t i = 0; i < wanted.values_files.size(); ++i) {
    auto same = std::find_if(there.begin(), there.end(), [&](const std::string& file) {
      return is_at(wanted.values_files[i], file);
    });
    if (same == there.end())
      phrases.push_back("values file " + wanted.values_shown[i] + " is the plan's alone");
    else
      there.erase(same);
  }
  for (const std::string& file : there)
    phrases.push_back("values file " + file + " is the Application's alone");
}

void compare_inline(const WantedRelease& wanted, const json::value& source,
                    std::vector<std::string>& phrases) {
  const json::value* object = kube::find(source, {"helm", "valuesObject"});
  const json::value nothing = json::object();
  if (!same_values(object == nullptr ? nothing : *object, wanted.set))
    phrases.push_back("`set` of the plan and helm.valuesObject of the Application differ");
  if (!kube::text_at(source, {"helm", "values"}).empty() ||
      !kube::list_at(source, {"helm", "parameters"}).empty())
    phrases.push_back("the Application sets values of its own");
}

}  // namespace

std::vector<std::string> keeper_differences(const WantedRelease& wanted,
                                            const json::value& application) {
  const json::value* source = source_of_chart(wanted, application);
  if (source == nullptr) return {"its chart is another than " + wanted.chart.display};
  std::vector<std::string> phrases;
  std::string version = kube::text_at(*source, {"targetRevision"});
  if (wanted.chart.reference.path.empty() && version != wanted.chart.version)
    phrases.push_back("it has chart version " + version + ", the plan " + wanted.chart.version);
  compare_files(wanted, values_files_of(*source), phrases);
  compare_inline(wanted, *source, phrases);
  return phrases;
}

}  // namespace blackstart::stages::helm
