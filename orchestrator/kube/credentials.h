// What requests prove themselves with, kept fresh while a run lasts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/world/shared_work.h"
#include "orchestrator/world/world.h"

namespace blackstart::kube {

/// What one request is sent with.
struct Proof {
  std::shared_ptr<const TlsIdentity> tls;
  std::string token;  // "" = none; a secret
};

/// Of one user of a kubeconfig. Token files are read before each request; certificate files every
/// second; an exec plugin is asked when its answer is about to expire, by one request for all.
/// Loop-confined; outlives its tasks. `endpoint` must outlive it.
class Credentials {
 public:
  Credentials(World& world, const Endpoint& endpoint);

  /// Throws Error(kAuthentication) when the exec plugin gives none, Error(kPermanent) when a token
  /// file cannot be read and never could.
  Task<Proof> now();
  /// The server answered 401 to `refused`: forgets it. True when asking now() may give another.
  bool renew(const Proof& refused);
  /// What a user should look at when the server refuses them; "" when nothing is to be said.
  std::string origin() const;

 private:
  struct Issued {
    Proof proof;
    std::optional<WallTime> expires, stale;  // none: good for ever
  };
  Proof from_files();
  void look_at_certificate();
  Task<void> ask_plugin();
  void tell(const std::string& secret) const;

  World& world_;
  const Endpoint& endpoint_;
  std::shared_ptr<const TlsIdentity> tls_;
  Instant looked_at_{};  // at the certificate
  std::string token_;    // the last that the token file gave
  SharedWork asking_;    // the plugin
  std::optional<Issued> issued_;
};

}  // namespace blackstart::kube
