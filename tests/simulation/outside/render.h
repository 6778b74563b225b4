// Charts, kustomizations and folders of manifests, rendered as far as the starter's need it. What a
// renderer here does not know it refuses: it never renders something else.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/kube/object.h"
#include "orchestrator/world/files.h"

namespace blackstart::sim {

struct ChartSource {
  std::string name;
  std::string version;
  boost::json::value values;                     // its values.yaml
  std::map<std::string, std::string> templates;  // "templates/x.yaml" -> text
  std::map<std::string, std::string> files;      // the rest, but Chart.yaml and values.yaml
};

/// Throws Error for a folder that is no chart.
ChartSource read_chart_folder(const Files& files, const std::string& folder);

/// helm's manifest of a release: all templates, in order of name. Knows `{{ .Release.Namespace }}`
/// and
/// `{{ toYaml .Values.a.b | nindent N }}`; throws std::runtime_error for anything else in braces.
std::string render_templates(const ChartSource& chart, const boost::json::value& values,
                             const std::string& name_space);

/// Maps merge, anything else replaces.
boost::json::value merged_values(boost::json::value base, const boost::json::value& over);

boost::json::value read_yaml_file(const Files& files, const std::string& path);
std::vector<boost::json::value> read_objects(const std::string& text, const std::string& origin);

/// `kustomize build`: resources, namePrefix, configMapGenerator with literals, replicas.
std::vector<boost::json::value> build_kustomization(const Files& files, const std::string& folder);

}  // namespace blackstart::sim
