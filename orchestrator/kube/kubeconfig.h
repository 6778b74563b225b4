// Which API server, trusting whom, as whom: kubeconfig as kubectl reads it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/kube/exec_plugin.h"
#include "orchestrator/kube/kubeconfig_file.h"
#include "orchestrator/world/files.h"
#include "orchestrator/world/http.h"

namespace blackstart::kube {

/// All that is needed to talk to one API server.
struct Endpoint {
  std::string server;                      // "https://127.0.0.1:6443", no trailing slash
  std::string context;                     // its name in the kubeconfig
  std::shared_ptr<const TlsIdentity> tls;  // the client certificate as it was when it was read
  std::string token;                       // bearer token: a secret; may be empty
  std::string token_file;                  // read again before each request when set
  std::string certificate_file, key_file;  // looked at again while they are used; may be empty
  std::optional<ExecPlugin> exec;          // asked when there is nothing else to show
  boost::json::value exec_config;          // what the cluster's entry has for its exec plugins
  Impersonation as;
  bool disable_compression = false;  // asks for answers that are not compressed
  std::string kubeconfig;            // the file(s) it came from, for messages
  /// Hears every secret that turns up later (a plugin's token, a renewed token file) before it is
  /// used; may be empty.
  std::function<void(std::string_view)> on_secret;
};

/// Reads and merges the files at `paths` (the first to define a name wins, the first to name a
/// current context too, missing files are passed over) and picks `context` (empty = the current
/// one). Relative paths are relative to the file that names them. What kubectl refuses is refused,
/// and so are encrypted keys, basic authentication, auth-providers and exec plugins that must have
/// a terminal. As with kubectl, nothing is shown to a server without TLS. Throws Error(kPermanent)
/// with the place.
Endpoint load_kubeconfig(const Files& files, const std::vector<std::string>& paths,
                         const std::string& context);

/// All in it that no one may see: for the redactor. May hold empty ones. Throws as bearer_token.
std::vector<std::string> secrets_of(const Files& files, const Endpoint& endpoint);

/// The bearer token to send now: the token file's content when there is one that can be read, else
/// the token; "" for none. A secret. Throws Error(kPermanent) when there is only a file, and it
/// gives none.
std::string bearer_token(const Files& files, const Endpoint& endpoint);

}  // namespace blackstart::kube
