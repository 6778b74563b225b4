#include "stages/argocd/host_kubeconfig.h"

#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;

constexpr size_t kFileLimit = 1 << 20;

/// The inner map ("cluster", "user") of every entry of a list of named things.
template <class Visit>
void each_entry(json::object& config, const char* list, const char* inner, Visit visit) {
  json::value* entries = config.if_contains(list);
  if (entries == nullptr || !entries->is_array()) return;
  for (json::value& entry : entries->get_array()) {
    json::value* map = entry.is_object() ? entry.get_object().if_contains(inner) : nullptr;
    if (map != nullptr && map->is_object()) visit(map->get_object());
  }
}

}  // namespace

HostKubeconfig make_host_kubeconfig(const Files& files, const std::string& path,
                                    const std::string& context) {
  Diagnostics diagnostics;
  auto documents = yaml::parse(files.read(path, kFileLimit), path, {}, diagnostics);
  kube::throw_if_broken(diagnostics, "kubeconfig " + path);
  if (documents.empty() || !documents[0].is_map())
    throw Error(ErrorClass::kPermanent, "this is no kubeconfig: " + path);
  json::value read = yaml::to_json(documents[0]);
  json::object& config = read.get_object();
  if (!context.empty()) config["current-context"] = context;
  Sha256 digest;
  std::string folder = path.substr(0, path.rfind('/') + 1);
  auto make_absolute = [&](json::object& map, const char* key) {
    json::value* name = map.if_contains(key);
    if (name == nullptr || !name->is_string() || name->get_string().empty()) return;
    std::string file(name->get_string());
    if (!file.starts_with('/')) file = folder + file;
    // A cluster that was made anew has a new CA, even when all else is the same.
    if (files.kind(file) == FileKind::kFile)
      digest.update(sha256_hex(files.read(file, kFileLimit)));
    *name = file;
  };
  each_entry(config, "clusters", "cluster",
             [&](json::object& map) { make_absolute(map, "certificate-authority"); });
  each_entry(config, "users", "user", [&](json::object& map) {
    for (const char* key : {"client-certificate", "client-key", "tokenFile"})
      make_absolute(map, key);
  });
  HostKubeconfig made;
  made.text = json::serialize(read);
  digest.update(made.text);
  made.digest = digest.hex();
  return made;
}

}  // namespace blackstart::stages::argocd
