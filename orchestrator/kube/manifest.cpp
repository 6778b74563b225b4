#include "orchestrator/kube/manifest.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <map>

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kFolderDepth = 32;
constexpr size_t kRenderedLimit = 32u << 20;

using Names = std::map<ObjectRef, Place>;

void check_unique(const Manifest& manifest, Names& seen, Diagnostics& diagnostics) {
  const ObjectRef ref = manifest.ref();
  const auto [first, is_new] = seen.try_emplace(ref.without_version(), manifest.place);
  if (is_new) return;
  diagnostics.error(manifest.place, ref.to_string() + " is defined twice",
                    "it is also defined at " + first->second.to_string() + ": remove one of them");
}

// YAML reads n, yes, on, 1.10 as no strings, which is a trap for names.
bool names_are_strings(const json::value& object, const Place& place, Diagnostics& diagnostics) {
  const std::pair<const char*, const json::value*> names[] = {
      {"apiVersion", find(object, {"apiVersion"})},
      {"kind", find(object, {"kind"})},
      {"metadata.name", find(object, {"metadata", "name"})},
      {"metadata.namespace", find(object, {"metadata", "namespace"})}};
  bool all = true;
  for (const auto& [name, value] : names) {
    if (!value || value->is_string() || value->is_null()) continue;
    diagnostics.error(place, std::string(name) + " is no string but " + json::serialize(*value),
                      "put it in quotes");
    all = false;
  }
  return all;
}

// What the server demands of every name (apimachinery's IsValidPathSegmentName).
bool may_be_in_a_path(std::string_view name) {
  return name != "." && name != ".." && name.find_first_of("/%") == name.npos;
}

bool check_object(const json::value& object, const Place& place, Diagnostics& diagnostics) {
  if (!names_are_strings(object, place, diagnostics)) return false;
  const ObjectRef ref = ref_of(object);
  if (ref.kind.empty()) {
    const bool kustomization =
        place.known() && place.file->find("kustomization.y") != place.file->npos;
    diagnostics.error(place, "an object without kind",
                      kustomization ? "give the folder of a kustomization as kustomize:"
                                    : "every document needs apiVersion, kind and metadata.name");
  } else if (ref.api_version.empty()) {
    diagnostics.error(place, ref.kind + " without apiVersion");
  } else if (ref.kind == "Kustomization" && ref.group() == "kustomize.config.k8s.io") {
    diagnostics.error(place, "a Kustomization is no object of the cluster",
                      "give its folder as kustomize:");
  } else if (ref.name.empty() && find(object, {"metadata", "generateName"})) {
    diagnostics.error(place,
                      ref.kind + " has generateName, which would make a new object at every run",
                      "give it a fixed metadata.name");
  } else if (ref.name.empty()) {
    diagnostics.error(place, ref.kind + " without metadata.name");
  } else if (!may_be_in_a_path(ref.name) || !may_be_in_a_path(ref.name_space)) {
    diagnostics.error(place, "no object is called " + ref.to_string(),
                      "names have neither / nor %, and are not . or ..");
  } else {
    return true;
  }
  return false;
}

// The API server makes 0 of a larger number when it is applied on the server's side, without a word
// (seen with 1.36: `replicas: 9223372036854775808`); kubectl's client-side apply is refused.
void check_numbers(const yaml::Node& node, bool secret, Diagnostics& diagnostics) {
  constexpr double kLimit = 9223372036854775808.0;
  for (const yaml::Node& item : node.items) check_numbers(item, secret, diagnostics);
  for (const auto& [key, value] : node.entries) check_numbers(value, secret, diagnostics);
  if (node.kind != yaml::Node::Kind::kScalar || node.quoted) return;
  const json::value value = yaml::scalar_value(node);
  if (!value.is_number() || std::abs(value.to_number<double>()) < kLimit) return;
  if (value.is_int64()) return;  // its neighbours are rounded up to the limit
  const std::string shown = secret ? "the number of a Secret" : "'" + node.scalar + "'";
  diagnostics.error(node.place, shown + " is more than 64 bits hold",
                    "put it in quotes if it is meant as text");
}

// The number that `count` hexadecimal digits at `at` make; nullopt when they are none.
std::optional<unsigned> hex_at(std::string_view text, size_t at) {
  unsigned value = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto [end, problem] = std::from_chars(&text[at], &text[at] + 4, value, 16);
  return problem == std::errc() && end == &text[at] + 4 ? std::optional(value) : std::nullopt;
}

// YAML is said to hold all of JSON, but for the two escapes that stand for one character beyond
// U+FFFF ("\ud83d\ude00"), as many programs write it: that becomes the character itself.
std::string without_surrogates(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      result += text[at++];
      continue;
    }
    const auto high = text[at + 1] == 'u' ? hex_at(text, at + 2) : std::nullopt;
    const auto low = high && text.substr(at + 6, 2) == "\\u" ? hex_at(text, at + 8) : std::nullopt;
    const bool pair = low && *high >> 10 == 0xD800 >> 10 && *low >> 10 == 0xDC00 >> 10;
    if (!pair) {
      result += text.substr(at, 2);
      at += 2;
      continue;
    }
    const unsigned code = 0x10000 + ((*high & 0x3FF) << 10) + (*low & 0x3FF);
    for (const int shift : {18, 12, 6, 0})
      result += static_cast<char>((shift == 18 ? 0xF0 : 0x80) | (code >> shift & 0x3F));
    at += 12;
  }
  return result;
}

bool is_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && text[first] == '{';
}

class Reader {
 public:
  Reader(Manifests& manifests, Names& seen, Diagnostics& diagnostics)
      : manifests_(manifests), seen_(seen), diagnostics_(diagnostics) {}

  void read(std::string_view text, std::string_view file) {
    const std::string plain = is_json(text) ? without_surrogates(text) : std::string(text);
    for (const yaml::Node& document :
         yaml::parse(plain, file, yaml::kManifestLimits, diagnostics_)) {
      if (document.kind != yaml::Node::Kind::kNull) take(document, {}, {});
    }
  }

 private:
  // A list is what has items, as kubectl decides; its kind names the kind of items that have none.
  void take(const yaml::Node& node, const std::string& api_version, const std::string& kind) {
    if (!node.is_map()) {
      diagnostics_.error(node.place, "a document that is no object");
      return;
    }
    const yaml::Node* items = node.find("items");
    if (items && items->is_list()) {
      take_list(node, *items);
    } else {
      take_object(node, api_version, kind);
    }
  }

  void take_list(const yaml::Node& node, const yaml::Node& items) {
    const yaml::Node* list_kind = node.find("kind");
    const yaml::Node* api_version = node.find("apiVersion");
    std::string kind = list_kind ? list_kind->scalar : "";
    const bool typed = kind.size() > 4 && kind.ends_with("List");
    kind.resize(typed ? kind.size() - 4 : 0);
    for (const yaml::Node& item : items.items) {
      take(item, typed && api_version ? api_version->scalar : "", kind);
    }
  }

  void take_object(const yaml::Node& node, const std::string& api_version,
                   const std::string& kind) {
    const yaml::Node* own_kind = node.find("kind");
    check_numbers(node, kind == "Secret" || (own_kind && own_kind->scalar == "Secret"),
                  diagnostics_);
    Manifest manifest{yaml::to_json(node), node.place};
    json::object& fields = manifest.object.as_object();
    if (!kind.empty()) fields.emplace("kind", kind);
    if (!api_version.empty()) fields.emplace("apiVersion", api_version);
    if (!check_object(manifest.object, manifest.place, diagnostics_)) return;
    check_unique(manifest, seen_, diagnostics_);
    manifests_.push_back(std::move(manifest));
  }

  Manifests& manifests_;
  Names& seen_;
  Diagnostics& diagnostics_;
};

bool is_manifest_file(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

void collect_files(const Files& files, const std::string& folder, size_t depth,
                   std::vector<std::string>& found) {
  if (depth > kFolderDepth)
    throw Error(ErrorClass::kUsage,
                "folder " + folder + " is nested too deeply, perhaps a link to itself");
  for (const std::string& name : files.list(folder)) {
    const std::string path = folder + '/' + name;
    const FileKind kind = files.kind(path);
    if (kind == FileKind::kFolder) collect_files(files, path, depth + 1, found);
    if (kind == FileKind::kFile && is_manifest_file(name)) found.push_back(path);
  }
}

}  // namespace

Manifests read_manifests(std::string_view text, std::string_view file, Diagnostics& diagnostics) {
  Manifests manifests;
  Names seen;
  Reader(manifests, seen, diagnostics).read(text, file);
  return manifests;
}

Manifests load_manifests(const Files& files, const std::string& path, Diagnostics& diagnostics) {
  std::vector<std::string> paths;
  switch (files.kind(path)) {
    case FileKind::kMissing: throw Error(ErrorClass::kUsage, "there is no file or folder " + path);
    case FileKind::kFolder: collect_files(files, path, 0, paths); break;
    default: paths.push_back(path);
  }
  if (paths.empty()) {
    throw Error(ErrorClass::kUsage, "folder " + path + " holds no manifests")
        .hint("manifests end with .yaml, .yml or .json");
  }
  Manifests manifests;
  Names seen;
  Reader reader(manifests, seen, diagnostics);
  for (const std::string& file : paths)
    reader.read(files.read(file, yaml::kManifestLimits.bytes), file);
  return manifests;
}

Task<std::string> render_kustomize(Processes& processes, Command kustomize, std::string folder) {
  kustomize.args.insert(kustomize.args.end(), {"build", folder});
  kustomize.output_limit = kRenderedLimit;
  Exit exit = co_await processes.run(kustomize);
  Error error(ErrorClass::kPermanent, "kustomize cannot build " + folder);
  if (exit.ok() && !exit.truncated) co_return std::move(exit.out);
  error.because(exit.ok() ? "it printed more than 32 MiB" : exit.describe());
  for (std::string& line : exit.ok() ? std::vector<std::string>() : exit.last_lines(5))
    error.because(std::move(line));
  throw error;
}

void throw_if_broken(const Diagnostics& diagnostics, const std::string& what) {
  if (!diagnostics.has_errors()) return;
  Error error(ErrorClass::kUsage, what + ": " + count_of(diagnostics.error_count(), "problem"));
  for (const Diagnostic& finding : diagnostics.sorted()) {
    if (finding.severity != Severity::kError) continue;
    error.at(finding.place).hint(finding.hint);
    const std::string place = finding.place.to_string();
    error.because((place.empty() ? "" : place + ": ") + finding.message);
  }
  throw error;
}

}  // namespace blackstart::kube
