// Which API server, trusting whom, as whom: kubeconfig as kubectl reads it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/world/files.h"
#include "orchestrator/world/http.h"

namespace blackstart::kube {

/// All that is needed to talk to one API server.
struct Endpoint {
  std::string server;   // "https://127.0.0.1:6443", no trailing slash
  std::string context;  // its name in the kubeconfig
  std::shared_ptr<const TlsIdentity> tls;
  std::string token;       // bearer token: a secret; may be empty
  std::string token_file;  // read again before each request when set
  std::string kubeconfig;  // the file(s) it came from, for messages
};

/// Reads and merges `files` (the first to define a name wins) and picks `context` (empty = the
/// current one). Relative certificate paths are relative to the file that names them. Throws
/// Error(kPermanent) naming file and entry; exec plugins and encrypted keys are refused by name.
Endpoint load_kubeconfig(const Files& files, const std::vector<std::string>& paths,
                         const std::string& context);

/// The bearer token to send now: the token file's content when there is one that can be read, else
/// the token; "" for none. A secret.
std::string bearer_token(const Files& files, const Endpoint& endpoint);

}  // namespace blackstart::kube
