#include "stages/helm/chart.h"

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"
#include "orchestrator/kube/manifest.h"
#include "orchestrator/kube/object.h"
#include "stages/helm/values.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

constexpr size_t kFileLimit = 32u << 20;
constexpr size_t kFilesLimit = 5000;
constexpr int kDepthLimit = 32;
constexpr size_t kNamesShown = 8;

Error misuse(const plan::Value& option, const std::string& what, const std::string& hint) {
  return Error(ErrorClass::kUsage, what).at(option.place).hint(hint);
}

void list_files(const Files& files, const std::string& folder, const std::string& prefix, int depth,
                std::vector<std::string>& names) {
  if (depth > kDepthLimit || names.size() > kFilesLimit)
    throw Error(ErrorClass::kPermanent,
                "the chart folder is too deep or holds too many files: " + folder);
  for (const std::string& name : files.list(folder)) {
    switch (files.kind(folder + "/" + name)) {
      case FileKind::kFolder:
        list_files(files, folder + "/" + name, prefix + name + "/", depth + 1, names);
        break;
      case FileKind::kFile: names.push_back(prefix + name); break;
      default: break;
    }
  }
}

json::value read_yaml(const std::string& text, const std::string& path) {
  Diagnostics diagnostics;
  auto documents = yaml::parse(text, path, yaml::kManifestLimits, diagnostics);
  kube::throw_if_broken(diagnostics, path);
  return documents.empty() ? json::value() : yaml::to_json(documents[0]);
}

void read_folder(const Files& files, const std::string& folder, const plan::Value& option,
                 Chart& chart) {
  std::vector<std::string> names;
  list_files(files, folder, "", 0, names);
  auto rules = IgnoreRules(files.kind(folder + "/.helmignore") == FileKind::kFile
                               ? files.read(folder + "/.helmignore", kFileLimit)
                               : std::string());
  Sha256 digest;
  chart.readable = true;
  for (const std::string& name : names) {
    if (rules.ignores(name)) continue;
    std::string text = files.read(folder + "/" + name, kFileLimit);
    digest.update(name + '\0' + sha256_hex(text));
    if (name.starts_with("charts/")) chart.readable = false;
    chart.files[name] = std::move(text);
  }
  chart.digest = digest.hex();
  if (!chart.files.contains("Chart.yaml")) {
    throw misuse(option, "this is no chart: " + folder + " has no Chart.yaml",
                 "name the folder that holds Chart.yaml");
  }
  json::value about = read_yaml(chart.files["Chart.yaml"], folder + "/Chart.yaml");
  chart.name = kube::text_at(about, {"name"});
  chart.version = kube::text_at(about, {"version"});
  if (!kube::list_at(about, {"dependencies"}).empty()) chart.readable = false;
  chart.values = json::object();
  if (chart.files.contains("values.yaml")) {
    json::value values = read_yaml(chart.files["values.yaml"], folder + "/values.yaml");
    if (values.is_object()) chart.values = std::move(values);
  }
}

void read_local(const Files& files, const plan::Value& option, Chart& chart) {
  const std::string& path = chart.reference.path;
  switch (files.kind(path)) {
    case FileKind::kFolder: return read_folder(files, path, option, chart);
    case FileKind::kFile: chart.digest = sha256_hex(files.read(path, kFileLimit)); return;
    default: throw misuse(option, "the chart is missing: " + path, "correct `chart.path`");
  }
}

/// What helm keeps as fields of its own rather than as files.
bool kept_apart(const std::string& name) {
  return name == "Chart.yaml" || name == "Chart.lock" || name == "values.yaml" ||
         name == "values.schema.json" || name == "requirements.yaml" || name == "requirements.lock";
}

}  // namespace

Chart read_chart(const Files& files, const plan::Value& option) {
  Chart chart;
  chart.reference = read_chart_reference(option);
  const ChartReference& named = chart.reference;
  chart.name = named.name;
  chart.version = named.version;
  chart.display = named.name + " " + named.version + " from " + named.repo;
  if (named.path.empty()) return chart;
  chart.display = named.path;
  read_local(files, option, chart);
  return chart;
}

ChartDifference compare_chart(const Chart& chart, const Release& release) {
  ChartDifference difference;
  auto& phrases = difference.phrases;
  if (!chart.name.empty() && release.chart != chart.name)
    phrases.push_back("chart is " + release.chart + ", not " + chart.name);
  if (!chart.version.empty() && release.version != chart.version)
    phrases.push_back("chart version is " + release.version + ", not " + chart.version);
  // A published version of a chart does not change; a folder or archive does under the same
  // version.
  difference.known = chart.readable || chart.digest.empty();
  if (!chart.readable) return difference;
  size_t shown = phrases.size() + kNamesShown;
  auto add = [&](const std::string& phrase) {
    if (phrases.size() < shown) phrases.push_back(phrase);
  };
  for (const auto& [name, text] : chart.files) {
    if (kept_apart(name)) continue;
    auto recorded = release.files.find(name);
    if (recorded == release.files.end())
      add(name + " is new");
    else if (recorded->second != text)
      add(name + " has changed");
  }
  for (const auto& [name, text] : release.files) {
    if (!chart.files.contains(name)) add(name + " is gone");
  }
  for (const std::string& path : value_differences(release.chart_values, chart.values, kNamesShown))
    add("the chart's values.yaml has changed at " + path);
  return difference;
}

}  // namespace blackstart::stages::helm
