// What a kubeconfig file says, typed as Kubernetes types it; nothing of it is judged here.
//
// The types are those of k8s.io/client-go/tools/clientcmd/api/v1. As there, a value of the wrong
// type anywhere makes the whole file unreadable, and what is unknown is passed over.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/place.h"
#include "orchestrator/kube/exec_plugin.h"
#include "orchestrator/world/files.h"

namespace blackstart::kube {

/// A scalar and where it stands; the place of the entry around it when it is not there.
struct Located {
  std::string text;
  Place place;
};

/// PEM by path or in the file itself ("…-data", decoded).
struct Material {
  Located path;  // absolute
  Located data;
  bool empty() const { return path.text.empty() && data.text.empty(); }
};

struct ClusterEntry {
  Place place;
  Located server, tls_server_name, proxy_url;
  Material ca;
  bool insecure = false;
  bool disable_compression = false;
  boost::json::value exec_config;  // of the extension "client.authentication.k8s.io/exec", or null
};

/// In whose name the user acts.
struct Impersonation {
  std::string user, uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
};

struct UserEntry {
  Place place;
  Material certificate, key;
  Located token, token_file;  // the file's path absolute
  Located username, password;
  Impersonation as;
  Place as_place;
  std::optional<Located> auth_provider;  // its name
  std::optional<ExecPlugin> exec;
};

struct ContextEntry {
  Place place;
  std::string cluster, user;
};

struct KubeconfigFile {
  std::map<std::string, ClusterEntry> clusters;
  std::map<std::string, UserEntry> users;
  std::map<std::string, ContextEntry> contexts;
  std::string current_context;
};

/// Relative paths in it start from its folder. Throws Error(kPermanent) with the place of what
/// Kubernetes could not read either, and of keys that stand twice.
KubeconfigFile read_kubeconfig_file(const Files& files, const std::string& path);

}  // namespace blackstart::kube
