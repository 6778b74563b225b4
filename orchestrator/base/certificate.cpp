#include "orchestrator/base/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include <memory>

#include "orchestrator/base/epoch.h"

namespace blackstart {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Pointer = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio reader_of(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// Else OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) { return 0; }

X509Pointer certificate_in(const std::string& pem) {
  X509Pointer made{PEM_read_bio_X509(reader_of(pem).get(), nullptr, &no_password, nullptr),
                   &X509_free};
  ERR_clear_error();
  return made;
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return time_of_epoch(timegm(&parts));
}

}  // namespace

std::optional<Validity> validity_of(const std::string& pem) {
  const X509Pointer certificate = certificate_in(pem);
  if (!certificate) return std::nullopt;
  return Validity{time_of(X509_get0_notBefore(certificate.get())),
                  time_of(X509_get0_notAfter(certificate.get()))};
}

bool belong_together(const std::string& certificate, const std::string& key) {
  const X509Pointer first = certificate_in(certificate);
  const Key secret{PEM_read_bio_PrivateKey(reader_of(key).get(), nullptr, &no_password, nullptr),
                   &EVP_PKEY_free};
  const bool match = first && secret && X509_check_private_key(first.get(), secret.get()) == 1;
  ERR_clear_error();
  return match;
}

}  // namespace blackstart
