#include "tests/bench/curl_endpoint.h"

#include "orchestrator/world/real.h"

namespace blackstart::test {

namespace {

void set_blob(CURL* easy, CURLoption option, const std::string& text) {
  const curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

kube::Endpoint endpoint_of(const std::string& kubeconfig) {
  RealWorld world;
  return kube::load_kubeconfig(world.world().files, {kubeconfig}, "");
}

CURL* easy_for(const kube::Endpoint& endpoint) {
  CURL* easy = curl_easy_init();
  set_blob(easy, CURLOPT_CAINFO_BLOB, endpoint.tls->ca);
  set_blob(easy, CURLOPT_SSLCERT_BLOB, endpoint.tls->certificate);
  set_blob(easy, CURLOPT_SSLKEY_BLOB, endpoint.tls->key);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  return easy;
}

}  // namespace blackstart::test
