#include "stages/helm/values.h"

#include "orchestrator/base/yaml.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

json::value load_file(const Files& files, const std::string& path) {
  if (files.kind(path) == FileKind::kMissing) {
    throw Error(ErrorClass::kUsage, "the values file is missing: " + path)
        .hint("create it, or take it out of the stage's `values`");
  }
  Diagnostics diagnostics;
  std::vector<yaml::Node> documents = yaml::parse(files.read(path, yaml::kManifestLimits.bytes),
                                                  path, yaml::kManifestLimits, diagnostics);
  if (documents.size() > 1)
    diagnostics.error(documents[1].place, "a values file is one YAML document");
  if (!documents.empty() && !documents[0].is_map() && documents[0].kind != yaml::Node::Kind::kNull)
    diagnostics.error(documents[0].place, "values are a map of names to values");
  kube::throw_if_broken(diagnostics, "values file " + path);
  json::value read = documents.empty() ? json::value() : yaml::to_json(documents[0]);
  return read.is_object() ? read : json::value(json::object());
}

void collect(const json::value& left, const json::value& right, const std::string& path,
             size_t limit, std::vector<std::string>& found) {
  if (found.size() >= limit || same_values(left, right)) return;
  if (!left.is_object() || !right.is_object()) {
    found.push_back(path.empty() ? "." : path);
    return;
  }
  for (const auto& [key, value] : left.get_object()) {
    const json::value* other = right.get_object().if_contains(key);
    if (other != nullptr) {
      collect(value, *other, path + "." + std::string(key), limit, found);
    } else if (found.size() < limit) {
      found.push_back(path + "." + std::string(key));
    }
  }
  for (const auto& [key, value] : right.get_object()) {
    if (found.size() < limit && !left.get_object().contains(key))
      found.push_back(path + "." + std::string(key));
  }
}

bool same_maps(const json::object& left, const json::object& right) {
  return left.size() == right.size() &&
         std::all_of(left.begin(), left.end(), [&](const auto& entry) {
           const json::value* other = right.if_contains(entry.key());
           return other != nullptr && same_values(entry.value(), *other);
         });
}

}  // namespace

json::value merge_values(json::value base, const json::value& over) {
  if (!base.is_object() || !over.is_object()) return over;
  json::object& merged = base.get_object();
  for (const auto& [key, value] : over.get_object()) {
    json::value* present = merged.if_contains(key);
    if (present != nullptr) {
      *present = merge_values(std::move(*present), value);
    } else {
      merged[key] = value;
    }
  }
  return base;
}

json::value load_values(const Files& files, const std::vector<std::string>& paths) {
  json::value values = json::object();
  for (const std::string& path : paths)
    values = merge_values(std::move(values), load_file(files, path));
  return values;
}

bool same_values(const json::value& left, const json::value& right) {
  if (left.is_number() && right.is_number()) {
    // Integers compare exactly; helm itself reads fractions as doubles.
    return left == right || left.to_number<double>() == right.to_number<double>();
  }
  if (left.is_object() && right.is_object())
    return same_maps(left.get_object(), right.get_object());
  if (left.is_array() && right.is_array()) {
    return std::equal(left.get_array().begin(), left.get_array().end(), right.get_array().begin(),
                      right.get_array().end(), same_values);
  }
  return left == right;
}

std::vector<std::string> value_differences(const json::value& left, const json::value& right,
                                           size_t limit) {
  std::vector<std::string> found;
  collect(left, right, "", limit, found);
  return found;
}

}  // namespace blackstart::stages::helm
