#include "orchestrator/kube/kubeconfig.h"

#include <algorithm>
#include <array>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/kube/server_address.h"

namespace blackstart::kube {

namespace {

constexpr size_t kMaterialLimit = 4u << 20;
constexpr size_t kTokenLimit = 64u << 10;

[[noreturn]] void refuse(const Place& place, std::string summary, std::string hint = {}) {
  throw Error(ErrorClass::kPermanent, std::move(summary)).at(place).hint(std::move(hint));
}

KubeconfigFile merge(const Files& files, const std::vector<std::string>& paths) {
  KubeconfigFile merged;
  size_t found = 0;
  for (const std::string& path : paths) {
    if (files.kind(path) == FileKind::kMissing) continue;
    KubeconfigFile file = read_kubeconfig_file(files, path);
    merged.clusters.merge(file.clusters);  // leaves what is there already
    merged.users.merge(file.users);
    merged.contexts.merge(file.contexts);
    if (merged.current_context.empty()) merged.current_context = file.current_context;
    ++found;
  }
  if (found == 0) {
    throw Error(ErrorClass::kPermanent, "there is no kubeconfig at " + join(paths, ", "))
        .hint("name the kubeconfig of the cluster in the plan's cluster.kubeconfig");
  }
  return merged;
}

template <class Entry>
const Entry& pick(const std::map<std::string, Entry>& entries, const std::string& name,
                  const char* what, const std::string& files, const Place& named_at = {}) {
  const auto found = entries.find(name);
  if (found != entries.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, entry] : entries) known.push_back(key);
  refuse(named_at, "kubeconfig " + files + " has no " + what + " \"" + name + "\"",
         suggestion(name, known));
}

// kubectl says that the data would win, and refuses.
void refuse_both(const Material& material, const std::string& key) {
  if (!material.path.text.empty() && !material.data.text.empty())
    refuse(material.path.place, "the kubeconfig gives both " + key + " and " + key + "-data",
           "remove one of them");
}

std::string content_of(const Files& files, const Material& material, const std::string& key) {
  refuse_both(material, key);
  if (material.path.text.empty()) return material.data.text;
  try {
    return files.read(material.path.text, kMaterialLimit);
  } catch (Error& error) {
    throw error.at(material.path.place);
  }
}

void check_plugin(const ExecPlugin& plugin, const std::string& user) {
  const std::string what = "the exec plugin of user \"" + user + "\" ";
  if (plugin.command.empty()) refuse(plugin.place, what + "has no command");
  const bool v1 = plugin.api_version == "client.authentication.k8s.io/v1";
  if (!v1 && plugin.api_version != "client.authentication.k8s.io/v1beta1")
    refuse(plugin.place, what + "has the apiVersion \"" + plugin.api_version + "\"",
           "it must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1: "
           "use a newer version of the plugin");
  const std::string& mode = plugin.interactive_mode;
  if (mode == "Always")
    refuse(
        plugin.place, what + "must have a terminal (interactiveMode: Always), and gets none",
        "log in with it by hand beforehand and set interactiveMode: IfAvailable, or use a token");
  const bool known = mode == "Never" || mode == "IfAvailable" || (mode.empty() && !v1);
  if (!known)
    refuse(plugin.place, what + "has no valid interactiveMode", "write interactiveMode: Never");
}

void refuse_unsupported(const UserEntry& user) {
  constexpr const char* kInstead =
      "use a kubeconfig with a client certificate, a token or an exec plugin; a token can be made "
      "with \"kubectl create token SERVICEACCOUNT\"";
  if (user.auth_provider)
    refuse(user.auth_provider->place,
           "the kubeconfig's user uses the auth-provider \"" + user.auth_provider->text +
               "\", which is not supported",
           kInstead);
  for (const Located* basic : {&user.username, &user.password}) {
    if (!basic->text.empty())
      refuse(basic->place, "the kubeconfig's user uses basic authentication",
             "API servers no longer accept it: use a client certificate or a token");
  }
}

void check_impersonation(const UserEntry& user) {
  const bool more = !user.as.uid.empty() || !user.as.groups.empty() || !user.as.extra.empty();
  if (more && user.as.user.empty())
    refuse(user.as_place, "the kubeconfig asks for a uid, groups or extra of nobody",
           "say with `as` who is impersonated");
}

void take_certificate(const Files& files, const UserEntry& user, TlsIdentity& tls) {
  refuse_both(user.key, "client-key");
  if (user.certificate.empty() && user.key.empty()) return;
  if (user.certificate.empty() || user.key.empty())
    refuse(user.place, "the kubeconfig's user has only one of client-certificate and client-key");
  tls.certificate = content_of(files, user.certificate, "client-certificate");
  tls.key = content_of(files, user.key, "client-key");
  if (tls.key.find("ENCRYPTED") == std::string::npos) return;
  const bool by_path = !user.key.path.text.empty();
  refuse(by_path ? user.key.path.place : user.key.data.place,
         "the kubeconfig's client-key is encrypted, which is not supported",
         "decrypt it once: openssl pkey -in KEY -out KEY.plain, and keep that file at mode 0600");
}

void take_user(const Files& files, const UserEntry& user, const std::string& name,
               Endpoint& endpoint, TlsIdentity& tls) {
  if (user.exec) check_plugin(*user.exec, name);
  refuse_unsupported(user);
  check_impersonation(user);
  take_certificate(files, user, tls);
  endpoint.as = user.as;
  endpoint.token = user.token.text;
  endpoint.token_file = user.token_file.text;
  endpoint.certificate_file = user.certificate.path.text;
  endpoint.key_file = user.key.path.text;
  try {
    bearer_token(files, endpoint);
  } catch (Error& error) {
    throw error.at(user.token_file.place);
  }
  // client-go asks a plugin only when there is nothing else.
  const bool has_other =
      !endpoint.token.empty() || !endpoint.token_file.empty() || !tls.certificate.empty();
  if (!has_other) endpoint.exec = user.exec;
}

// kubectl reads who we are only for a server with TLS: nobody else is to hear it.
void show_nothing(Endpoint& endpoint, TlsIdentity& tls) {
  tls.certificate.clear();
  tls.key.clear();
  endpoint.token.clear();
  endpoint.token_file.clear();
  endpoint.certificate_file.clear();
  endpoint.key_file.clear();
  endpoint.exec.reset();
}

void check_proxy(const Located& proxy) {
  for (const char* scheme : {"http://", "https://", "socks5://"}) {
    if (proxy.text.empty() || proxy.text.starts_with(scheme)) return;
  }
  refuse(proxy.place, "the kubeconfig's proxy-url is none of http://, https:// and socks5://");
}

void take_cluster(const Files& files, const ClusterEntry& cluster, Endpoint& endpoint,
                  TlsIdentity& tls) {
  check_proxy(cluster.proxy_url);
  tls.ca = content_of(files, cluster.ca, "certificate-authority");
  tls.server_name = cluster.tls_server_name.text;
  tls.insecure = cluster.insecure;
  tls.proxy = cluster.proxy_url.text;
  endpoint.disable_compression = cluster.disable_compression;
  endpoint.exec_config = cluster.exec_config;
  if (tls.insecure && !tls.ca.empty())
    refuse(cluster.place,
           "the kubeconfig's cluster has both a certificate-authority and insecure-skip-tls-verify",
           "remove one of them");
}

// "scheme://user:password@host"
std::string password_in(const std::string& url) {
  const size_t end = url.rfind('@');
  const size_t begin = url.find("://");
  if (end == std::string::npos || begin == std::string::npos) return {};
  const std::string user_info = url.substr(begin + 3, end - begin - 3);
  const size_t colon = user_info.find(':');
  return colon == std::string::npos ? std::string() : user_info.substr(colon + 1);
}

// Of a plugin's variables most are none, and "eu-west-1" is not to be blackened everywhere.
bool sounds_secret(const std::string& name) {
  const std::string lower = lower_case(name);
  return std::ranges::any_of(std::array{"key", "secret", "token", "pass"}, [&](const char* word) {
    return lower.find(word) != std::string::npos;
  });
}

}  // namespace

Endpoint load_kubeconfig(const Files& files, const std::vector<std::string>& paths,
                         const std::string& context) {
  const KubeconfigFile merged = merge(files, paths);
  Endpoint endpoint;
  endpoint.kubeconfig = join(paths, ":");
  endpoint.context = context.empty() ? merged.current_context : context;
  if (endpoint.context.empty()) {
    throw Error(ErrorClass::kPermanent,
                "kubeconfig " + endpoint.kubeconfig + " has no current-context")
        .hint("name the context in the plan's cluster.context");
  }
  const ContextEntry& chosen =
      pick(merged.contexts, endpoint.context, "context", endpoint.kubeconfig);
  const ClusterEntry& cluster =
      pick(merged.clusters, chosen.cluster, "cluster", endpoint.kubeconfig, chosen.place);
  if (cluster.server.text.empty())
    refuse(cluster.place, "cluster \"" + chosen.cluster + "\" of the kubeconfig names no server");
  auto tls = std::make_shared<TlsIdentity>();
  take_cluster(files, cluster, endpoint, *tls);
  if (!chosen.user.empty()) {
    const UserEntry& user =
        pick(merged.users, chosen.user, "user", endpoint.kubeconfig, chosen.place);
    take_user(files, user, chosen.user, endpoint, *tls);
  }
  endpoint.server = server_url(cluster.server);
  if (endpoint.server.starts_with("http://")) show_nothing(endpoint, *tls);
  endpoint.tls = std::move(tls);
  return endpoint;
}

std::vector<std::string> secrets_of(const Files& files, const Endpoint& endpoint) {
  std::vector<std::string> secrets{endpoint.token, bearer_token(files, endpoint), endpoint.tls->key,
                                   password_in(endpoint.tls->proxy)};
  if (!endpoint.exec) return secrets;
  for (const auto& [name, value] : endpoint.exec->environment) {
    if (sounds_secret(name)) secrets.push_back(value);
  }
  return secrets;
}

std::string bearer_token(const Files& files, const Endpoint& endpoint) {
  if (endpoint.token_file.empty()) return endpoint.token;
  try {
    std::string token(trim(files.read(endpoint.token_file, kTokenLimit)));
    if (!token.empty()) return token;
    throw Error(ErrorClass::kPermanent, "the token file is empty: " + endpoint.token_file);
  } catch (const Error&) {
    if (endpoint.token.empty()) throw;
    return endpoint.token;
  }
}

}  // namespace blackstart::kube
