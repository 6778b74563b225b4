#include "orchestrator/kube/kubeconfig.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"

namespace blackstart::kube {

namespace {

constexpr size_t kFileLimit = 4u << 20;
constexpr size_t kTokenLimit = 64u << 10;

// An entry of a kubeconfig with the folder that its relative paths start from.
struct Entry {
  yaml::Node body;
  std::string folder;
};

// All files as one: the first to define a name wins, as in kubectl.
struct Merged {
  std::map<std::string, Entry> clusters, users, contexts;
  std::string current_context;
};

std::string text_of(const yaml::Node& node, std::string_view key) {
  const yaml::Node* found = node.find(key);
  return found && found->kind == yaml::Node::Kind::kScalar ? found->scalar : std::string();
}

bool flag_of(const yaml::Node& node, std::string_view key) { return text_of(node, key) == "true"; }

[[noreturn]] void fail(const yaml::Node& node, std::string summary, std::string why = {},
                       std::string hint = {}) {
  throw Error(ErrorClass::kPermanent, std::move(summary))
      .at(node.place)
      .because(std::move(why))
      .hint(std::move(hint));
}

void merge_entries(const yaml::Node& file, const char* list, const char* inner,
                   const std::string& folder, std::map<std::string, Entry>& into) {
  const yaml::Node* entries = file.find(list);
  if (!entries) return;
  for (const yaml::Node& entry : entries->items) {
    const yaml::Node* body = entry.find(inner);
    into.try_emplace(text_of(entry, "name"), Entry{body ? *body : yaml::Node{}, folder});
  }
}

void merge_file(const Files& files, const std::string& path, Merged& merged) {
  Diagnostics diagnostics;
  const std::string text = files.read(path, kFileLimit);
  const auto documents = yaml::parse(text, path, yaml::Limits{.bytes = kFileLimit}, diagnostics);
  if (diagnostics.has_errors()) {
    const Diagnostic first = diagnostics.sorted().front();
    throw Error(ErrorClass::kPermanent, "cannot read kubeconfig " + path)
        .at(first.place)
        .because(first.message);
  }
  if (documents.empty() || documents[0].kind == yaml::Node::Kind::kNull)
    return;  // kubectl reads it as empty
  const yaml::Node& file = documents[0];
  if (!file.is_map()) fail(file, "cannot read kubeconfig " + path, "it is no mapping");
  const std::string folder = std::filesystem::path(path).parent_path().string();
  merge_entries(file, "clusters", "cluster", folder, merged.clusters);
  merge_entries(file, "users", "user", folder, merged.users);
  merge_entries(file, "contexts", "context", folder, merged.contexts);
  if (merged.current_context.empty()) merged.current_context = text_of(file, "current-context");
}

Merged merge_files(const Files& files, const std::vector<std::string>& paths) {
  Merged merged;
  size_t found = 0;
  for (const std::string& path : paths) {
    if (files.kind(path) == FileKind::kMissing) continue;
    merge_file(files, path, merged);
    ++found;
  }
  if (found == 0) {
    throw Error(ErrorClass::kPermanent, "there is no kubeconfig at " + join(paths, ", "))
        .hint("name the kubeconfig of the cluster in the plan's cluster.kubeconfig");
  }
  return merged;
}

const Entry& pick(const std::map<std::string, Entry>& entries, const std::string& name,
                  const char* what, const std::string& files) {
  const auto found = entries.find(name);
  if (found != entries.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, entry] : entries) known.push_back(key);
  throw Error(ErrorClass::kPermanent,
              "kubeconfig " + files + " has no " + what + " \"" + name + "\"")
      .hint(suggestion(name, known));
}

// X-data (base64) wins over X (a file), as in kubectl.
std::string content_of(const Files& files, const Entry& entry, const std::string& key) {
  const std::string data = text_of(entry.body, key + "-data");
  if (!data.empty()) {
    auto decoded = base64_decode(data);
    if (!decoded)
      fail(*entry.body.find(key + "-data"), key + "-data of the kubeconfig is no base64");
    return *decoded;
  }
  const std::string path = text_of(entry.body, key);
  if (path.empty()) return {};
  return files.read((std::filesystem::path(entry.folder) / path).lexically_normal().string(),
                    kFileLimit);
}

void refuse(const yaml::Node& user, const char* key, const std::string& what,
            const std::string& hint) {
  if (const yaml::Node* found = user.find(key); found && found->kind != yaml::Node::Kind::kNull)
    fail(*found, "the kubeconfig's user uses " + what + ", which is not supported", {}, hint);
}

void refuse_unsupported(const yaml::Node& user) {
  std::string plugin;
  if (const yaml::Node* exec = user.find("exec")) plugin = text_of(*exec, "command");
  refuse(user, "exec", "the exec credential plugin \"" + plugin + "\"",
         "use a kubeconfig with a client certificate, a token or a token file; a token can be made "
         "with "
         "\"kubectl create token SERVICEACCOUNT\"");
  refuse(user, "auth-provider", "an auth-provider",
         "use a kubeconfig with a client certificate, a token or a token file");
  refuse(user, "username", "basic authentication",
         "API servers no longer accept it: use a client certificate or a token");
  for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    refuse(user, key, std::string("impersonation (") + key + ")",
           "use a kubeconfig of the user that is to act");
  }
}

std::shared_ptr<const TlsIdentity> tls_of(const Files& files, const Entry& cluster,
                                          const Entry* user) {
  auto tls = std::make_shared<TlsIdentity>();
  tls->ca = content_of(files, cluster, "certificate-authority");
  tls->server_name = text_of(cluster.body, "tls-server-name");
  tls->insecure = flag_of(cluster.body, "insecure-skip-tls-verify");
  tls->proxy = text_of(cluster.body, "proxy-url");
  if (tls->insecure && !tls->ca.empty())
    fail(cluster.body,
         "the kubeconfig's cluster has both a certificate-authority and "
         "insecure-skip-tls-verify",
         {}, "remove one of them");
  if (!user) return tls;
  tls->certificate = content_of(files, *user, "client-certificate");
  tls->key = content_of(files, *user, "client-key");
  if (tls->certificate.empty() != tls->key.empty())
    fail(user->body, "the kubeconfig's user has only one of client-certificate and client-key");
  if (tls->key.find("ENCRYPTED") != std::string::npos)
    fail(user->body, "the kubeconfig's client-key is encrypted, which is not supported", {},
         "decrypt it once: openssl pkey -in KEY -out KEY.plain, and keep that file at mode 0600");
  return tls;
}

// Without a scheme kubectl takes https when anything speaks of TLS, else http.
std::string server_url(const Entry& cluster, const TlsIdentity& tls, const std::string& name) {
  std::string server = text_of(cluster.body, "server");
  if (server.empty())
    fail(cluster.body, "cluster \"" + name + "\" of the kubeconfig names no server");
  while (server.ends_with('/')) server.pop_back();
  if (server.find("://") != std::string::npos) return server;
  const bool secure = !tls.ca.empty() || !tls.certificate.empty() || tls.insecure;
  return (secure ? "https://" : "http://") + server;
}

}  // namespace

Endpoint load_kubeconfig(const Files& files, const std::vector<std::string>& paths,
                         const std::string& context) {
  const Merged merged = merge_files(files, paths);
  Endpoint endpoint;
  endpoint.kubeconfig = join(paths, ":");
  endpoint.context = context.empty() ? merged.current_context : context;
  if (endpoint.context.empty()) {
    throw Error(ErrorClass::kPermanent,
                "kubeconfig " + endpoint.kubeconfig + " has no current-context")
        .hint("name the context in the plan's cluster.context");
  }
  const Entry& chosen = pick(merged.contexts, endpoint.context, "context", endpoint.kubeconfig);
  const std::string cluster_name = text_of(chosen.body, "cluster");
  const Entry& cluster = pick(merged.clusters, cluster_name, "cluster", endpoint.kubeconfig);
  const std::string user_name = text_of(chosen.body, "user");
  const Entry* user = nullptr;
  if (!user_name.empty()) user = &pick(merged.users, user_name, "user", endpoint.kubeconfig);

  if (user) {
    refuse_unsupported(user->body);
    endpoint.token = text_of(user->body, "token");
    const std::string token_file = text_of(user->body, "tokenFile");
    if (!token_file.empty())
      endpoint.token_file =
          (std::filesystem::path(user->folder) / token_file).lexically_normal().string();
  }
  endpoint.tls = tls_of(files, cluster, user);
  endpoint.server = server_url(cluster, *endpoint.tls, cluster_name);
  return endpoint;
}

std::string bearer_token(const Files& files, const Endpoint& endpoint) {
  if (endpoint.token_file.empty()) return endpoint.token;
  try {
    return std::string(trim(files.read(endpoint.token_file, kTokenLimit)));
  } catch (const Error&) {
    if (endpoint.token.empty()) throw;
    return endpoint.token;
  }
}

}  // namespace blackstart::kube
