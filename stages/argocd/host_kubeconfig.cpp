#include "stages/argocd/host_kubeconfig.h"

#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;

constexpr size_t kFileLimit = 1 << 20;

/// Keeps the entry `name` alone of a list of named things; its inner map ("cluster", "user"), null
/// when there is none.
json::value* keep_only(json::value& config, const char* list, const char* inner,
                       const std::string& name) {
  json::array kept;
  for (const json::value& entry : kube::list_at(config, {list}))
    if (kept.empty() && kube::text_at(entry, {"name"}) == name) kept.push_back(entry);
  json::value& stored = config.get_object()[list] = std::move(kept);
  if (stored.get_array().empty()) return nullptr;
  return stored.get_array()[0].get_object().if_contains(inner);
}

/// Of an exec plugin; a bare name is looked for on PATH.
void make_command_absolute(json::value& user, const std::string& folder) {
  std::string command = kube::text_at(user, {"exec", "command"});
  if (command.starts_with('/') || command.find('/') == std::string::npos) return;
  user.at("exec").as_object()["command"] = folder + command;
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
  std::string chosen = context.empty() ? kube::text_at(read, {"current-context"}) : context;
  read.get_object()["current-context"] = chosen;
  json::value* named = keep_only(read, "contexts", "context", chosen);
  auto name_of = [named](const char* what) {
    return named == nullptr ? std::string() : kube::text_at(*named, {what});
  };
  json::value* cluster = keep_only(read, "clusters", "cluster", name_of("cluster"));
  json::value* user = keep_only(read, "users", "user", name_of("user"));
  Sha256 digest;
  std::string folder = path.substr(0, path.rfind('/') + 1);
  auto make_absolute = [&](json::value* map, const char* key) {
    std::string file = map == nullptr ? "" : kube::text_at(*map, {key});
    if (file.empty()) return;
    if (!file.starts_with('/')) file = folder + file;
    // A cluster that was made anew has a new CA, even when all else is the same.
    if (files.kind(file) == FileKind::kFile)
      digest.update(sha256_hex(files.read(file, kFileLimit)));
    map->get_object()[key] = file;
  };
  make_absolute(cluster, "certificate-authority");
  for (const char* key : {"client-certificate", "client-key", "tokenFile"})
    make_absolute(user, key);
  if (user != nullptr) make_command_absolute(*user, folder);
  HostKubeconfig made;
  made.text = json::serialize(read);
  digest.update(made.text);
  made.digest = digest.hex();
  return made;
}

}  // namespace blackstart::stages::argocd
