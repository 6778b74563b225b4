#include "tests/simulation/outside/render.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <regex>
#include <stdexcept>

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr size_t kFileLimit = 1u << 20;

void add_folder(const Files& files, const std::string& folder, const std::string& prefix,
                ChartSource& chart) {
  for (const std::string& name : files.list(folder)) {
    std::string path = folder + "/" + name, inside = prefix + name;
    if (files.kind(path) == FileKind::kFolder) {
      add_folder(files, path, inside + "/", chart);
    } else if (inside != "Chart.yaml" && inside != "values.yaml") {
      auto& list = inside.starts_with("templates/") ? chart.templates : chart.files;
      list[inside] = files.read(path, kFileLimit);
    }
  }
}

const json::value* value_at(const json::value& values, const std::string& path) {
  const json::value* found = &values;
  for (const std::string& key : split(path, '.')) {
    found = found->is_object() ? found->get_object().if_contains(key) : nullptr;
    if (!found) return nullptr;
  }
  return found;
}

std::string to_yaml(const json::value* map, size_t indent) {
  std::string text;
  if (!map || !map->is_object()) return text;
  for (const auto& [key, value] : map->get_object())
    text += "\n" + std::string(indent, ' ') + std::string(key) + ": " + json::serialize(value);
  return text;
}

std::string render(const std::string& text, const json::value& values,
                   const std::string& name_space) {
  static const std::regex kNamespace(R"(\{\{ \.Release\.Namespace \}\})");
  static const std::regex kYaml(R"(\{\{- toYaml \.Values\.([a-zA-Z.]+) \| nindent (\d+) \}\})");
  std::string result = std::regex_replace(text, kNamespace, name_space);
  for (std::smatch match; std::regex_search(result, match, kYaml);) {
    size_t indent = std::stoul(match.str(2));
    std::string lines = to_yaml(value_at(values, match.str(1)), indent);
    result = match.prefix().str() + lines + match.suffix().str();
  }
  if (result.find("{{") != std::string::npos)
    throw std::runtime_error("parse error: function not simulated in " + result);
  return result;
}

}  // namespace

json::value read_yaml_file(const Files& files, const std::string& path) {
  Diagnostics diagnostics;
  auto documents =
      yaml::parse(files.read(path, kFileLimit), path, yaml::kManifestLimits, diagnostics);
  kube::throw_if_broken(diagnostics, path);
  if (documents.empty() || !documents[0].is_map()) return json::object();
  return yaml::to_json(documents[0]);
}

std::vector<json::value> read_objects(const std::string& text, const std::string& origin) {
  // The same few texts are read over and over again in a sweep.
  static std::map<std::string, std::vector<json::value>> known;
  auto [found, is_new] = known.try_emplace(text);
  if (!is_new) return found->second;
  Diagnostics diagnostics;
  for (kube::Manifest& manifest : kube::read_manifests(text, origin, diagnostics))
    found->second.push_back(std::move(manifest.object));
  kube::throw_if_broken(diagnostics, origin);
  return found->second;
}

ChartSource read_chart_folder(const Files& files, const std::string& folder) {
  json::value about = read_yaml_file(files, folder + "/Chart.yaml");
  ChartSource chart;
  chart.name = kube::text_at(about, {"name"});
  chart.version = kube::text_at(about, {"version"});
  chart.values = json::object();
  if (files.kind(folder + "/values.yaml") == FileKind::kFile)
    chart.values = read_yaml_file(files, folder + "/values.yaml");
  add_folder(files, folder, "", chart);
  return chart;
}

std::string render_templates(const ChartSource& chart, const json::value& values,
                             const std::string& name_space) {
  std::string manifest;
  for (const auto& [name, text] : chart.templates) {
    manifest += "---\n# Source: " + chart.name + "/" + name + "\n";
    manifest += render(text, values, name_space);
  }
  return manifest;
}

json::value merged_values(json::value base, const json::value& over) {
  if (!base.is_object() || !over.is_object()) return over;
  for (const auto& [key, value] : over.get_object()) {
    json::value& slot = base.get_object()[key];
    slot = merged_values(std::move(slot), value);
  }
  return base;
}

namespace {

/// What one kustomization does beside its resources.
struct Kustomizer {
  const json::value& wanted;
  std::map<std::string, std::string> renamed_maps;  // ConfigMaps that got a suffix

  std::string prefix() const { return kube::text_at(wanted, {"namePrefix"}); }

  const json::array& list(const char* key) const {
    static const json::array none;
    const json::value* found = kube::find(wanted, {key});
    return found ? found->as_array() : none;
  }

  void generate(std::vector<json::value>& objects) {
    for (const json::value& generator : list("configMapGenerator")) {
      json::object data;
      const json::value* literals = kube::find(generator, {"literals"});
      for (const json::value& literal : literals ? literals->as_array() : json::array()) {
        std::string text(literal.as_string());
        data[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
      }
      std::string name = kube::text_at(generator, {"name"});
      std::string suffix = sha256_hex(json::serialize(data)).substr(0, 10);
      renamed_maps[name] = name + "-" + suffix;
      objects.push_back(json::object{{"apiVersion", "v1"},
                                     {"kind", "ConfigMap"},
                                     {"metadata", {{"name", renamed_maps[name]}}},
                                     {"data", std::move(data)}});
    }
  }

  void scale(json::object& object) {
    for (const json::value& replicas : list("replicas")) {
      json::object& metadata = object["metadata"].as_object();
      if (metadata["name"] != replicas.at("name")) continue;
      object["spec"].as_object()["replicas"] = replicas.at("count");
    }
  }

  void point_to_generated(json::value& value) {
    if (value.is_array())
      for (json::value& item : value.get_array()) point_to_generated(item);
    if (!value.is_object()) return;
    for (auto& [key, child] : value.get_object()) {
      bool names_a_map = (key == "configMapRef" || key == "configMapKeyRef" || key == "configMap");
      if (names_a_map && child.is_object()) {
        auto found = renamed_maps.find(kube::text_at(child, {"name"}));
        if (found != renamed_maps.end()) child.get_object()["name"] = prefix() + found->second;
      }
      point_to_generated(child);
    }
  }

  void finish(std::vector<json::value>& objects) {
    for (json::value& object : objects) {
      if (object.as_object().contains("spec")) scale(object.get_object());
      point_to_generated(object);
      json::object& metadata = object.get_object()["metadata"].as_object();
      metadata["name"] = prefix() + std::string(metadata["name"].as_string());
    }
  }
};

void refuse_unknown(const json::value& kustomization, const std::string& folder) {
  static const std::set<std::string_view> known = {
      "apiVersion", "kind", "namePrefix", "resources", "configMapGenerator", "replicas"};
  for (const auto& [key, value] : kustomization.as_object())
    if (!known.contains(key))
      throw std::runtime_error("Error: " + folder + ": " + std::string(key) + " is not simulated");
}

}  // namespace

std::vector<json::value> build_kustomization(const Files& files, const std::string& folder) {
  json::value kustomization = read_yaml_file(files, folder + "/kustomization.yaml");
  refuse_unknown(kustomization, folder);
  Kustomizer kustomizer{kustomization, {}};
  std::vector<json::value> objects;
  for (const json::value& resource : kustomizer.list("resources")) {
    std::string path = folder + "/" + std::string(resource.as_string());
    path = std::filesystem::path(path).lexically_normal().string();
    auto part = files.kind(path) == FileKind::kFolder
                    ? build_kustomization(files, path)
                    : read_objects(files.read(path, kFileLimit), path);
    objects.insert(objects.end(), part.begin(), part.end());
  }
  kustomizer.generate(objects);
  kustomizer.finish(objects);
  return objects;
}

}  // namespace blackstart::sim
