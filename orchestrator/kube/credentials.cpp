#include "orchestrator/kube/credentials.h"

#include <boost/json/object.hpp>

#include "orchestrator/base/certificate.h"
#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kFileLimit = 4u << 20;
constexpr Duration kLookEvery = std::chrono::seconds(1);
// So long before its end a credential counts as spent, that none ends on its way; of one that lives
// shorter half of its time.
constexpr Duration kLeeway = std::chrono::seconds(10);

WallTime stale_time(WallTime now, WallTime expires) {
  const auto left = std::max(expires - now, WallTime::duration::zero());
  return expires - std::min<WallTime::duration>(kLeeway, left / 2);
}

// The protocol's spec.cluster: what client-go's ConfigToExecCluster makes of the same kubeconfig.
json::value cluster_of(const Endpoint& endpoint) {
  json::object cluster{{"server", endpoint.server}};
  const TlsIdentity& tls = *endpoint.tls;
  if (!tls.server_name.empty()) cluster["tls-server-name"] = tls.server_name;
  if (tls.insecure) cluster["insecure-skip-tls-verify"] = true;
  if (!tls.ca.empty()) cluster["certificate-authority-data"] = base64_encode(tls.ca);
  if (!tls.proxy.empty()) cluster["proxy-url"] = tls.proxy;
  if (endpoint.disable_compression) cluster["disable-compression"] = true;
  cluster["config"] = endpoint.exec_config;
  return cluster;
}

std::shared_ptr<const TlsIdentity> with_certificate(const TlsIdentity& base,
                                                    std::string certificate, std::string key) {
  auto made = std::make_shared<TlsIdentity>(base);
  made->certificate = std::move(certificate);
  made->key = std::move(key);
  return made;
}

std::string expiry_of(const std::string& certificate, WallTime now) {
  const auto validity = validity_of(certificate);
  if (!validity) return {};
  if (validity->until < now) return ", which expired at " + format_utc(validity->until);
  if (validity->from > now) return ", which is valid from " + format_utc(validity->from) + " only";
  return {};
}

}  // namespace

Credentials::Credentials(World& world, const Endpoint& endpoint)
    : world_(world), endpoint_(endpoint), tls_(endpoint.tls), asking_(world.executor) {}

Task<Proof> Credentials::now() {
  if (!endpoint_.exec) co_return from_files();
  if (issued_ && issued_->stale && *issued_->stale <= world_.clock.wall_time()) issued_.reset();
  const std::function<Task<void>()> ask = [this] { return ask_plugin(); };
  while (!issued_) co_await asking_.run(ask);
  co_return issued_->proof;
}

Proof Credentials::from_files() {
  look_at_certificate();
  if (endpoint_.token_file.empty()) return {tls_, endpoint_.token};
  try {
    std::string token = bearer_token(world_.files, endpoint_);
    if (token != token_) tell(token);
    token_ = std::move(token);
  } catch (const Error&) {
    if (token_.empty()) throw;  // else it is being replaced: the last one may still do
  }
  return {tls_, token_};
}

void Credentials::look_at_certificate() {
  const Instant now = world_.clock.now();
  const bool by_path = tls_ && !tls_->certificate.empty() && !endpoint_.certificate_file.empty() &&
                       !endpoint_.key_file.empty();
  if (!by_path || now < looked_at_ + kLookEvery) return;
  looked_at_ = now;
  std::string certificate, key;
  try {
    certificate = world_.files.read(endpoint_.certificate_file, kFileLimit);
    key = world_.files.read(endpoint_.key_file, kFileLimit);
  } catch (const Error&) {
    return;  // being replaced
  }
  const bool same = certificate == tls_->certificate && key == tls_->key;
  if (same || !belong_together(certificate, key)) return;
  tell(key);
  tls_ = with_certificate(*tls_, std::move(certificate), std::move(key));
}

Task<void> Credentials::ask_plugin() {
  ExecCredential given =
      co_await run_exec_plugin(world_, *endpoint_.exec, cluster_of(endpoint_), endpoint_.on_secret);
  Issued issued;
  issued.proof.token = std::move(given.token);
  issued.proof.tls = tls_;
  if (!given.key.empty())
    issued.proof.tls =
        with_certificate(*endpoint_.tls, std::move(given.certificate), std::move(given.key));
  issued.expires = given.expires;
  if (given.expires) issued.stale = stale_time(world_.clock.wall_time(), *given.expires);
  issued_ = std::move(issued);
}

bool Credentials::renew(const Proof& refused) {
  if (endpoint_.exec) {
    const bool latest =
        issued_ && issued_->proof.token == refused.token && issued_->proof.tls == refused.tls;
    if (latest) issued_.reset();
    return true;
  }
  looked_at_ = {};
  const Proof now = from_files();
  return now.token != refused.token || now.tls != refused.tls;
}

std::string Credentials::origin() const {
  const WallTime now = world_.clock.wall_time();
  if (endpoint_.exec) {
    const bool expired = issued_ && issued_->expires && *issued_->expires <= now;
    return "the exec plugin \"" + endpoint_.exec->command + "\" gave the credentials" +
           (expired ? ", which expired at " + format_utc(*issued_->expires) : "");
  }
  if (!endpoint_.token_file.empty()) return "the token is that of " + endpoint_.token_file;
  if (tls_ && !tls_->certificate.empty() && endpoint_.token.empty()) {
    const std::string file =
        endpoint_.certificate_file.empty() ? "" : " " + endpoint_.certificate_file;
    return "the client certificate" + file + " was shown" + expiry_of(tls_->certificate, now);
  }
  return {};
}

void Credentials::tell(const std::string& secret) const {
  if (endpoint_.on_secret) endpoint_.on_secret(secret);
}

}  // namespace blackstart::kube
