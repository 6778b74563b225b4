#include "tests/unit/world/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace blackstart::test {
namespace {

template <class T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
using X509Certificate = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO, BIO_free_all>>;

void require(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL cannot make a test certificate");
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  long length = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(length));
}

Bio memory() { return Bio(BIO_new(BIO_s_mem())); }
Bio memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Certificate bare(const std::string& name, EVP_PKEY* key, const Leaf& times) {
  static long serial = 1;
  X509Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), times.not_before.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), times.not_after.count());
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

Certificate to_pem(X509* certificate, EVP_PKEY* key) {
  Bio certificate_text = memory();
  Bio key_text = memory();
  require(PEM_write_bio_X509(certificate_text.get(), certificate) == 1);
  require(PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) ==
          1);
  return {text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace

Certificate make_ca(const std::string& name) {
  Key key(EVP_EC_gen("P-256"));
  X509Certificate ca = bare(name, key.get(), {});
  X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
  add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  require(X509_sign(ca.get(), key.get(), EVP_sha256()) > 0);
  return to_pem(ca.get(), key.get());
}

Certificate make_leaf(const Certificate& ca, const Leaf& leaf) {
  X509Certificate issuer(
      PEM_read_bio_X509(memory(ca.certificate).get(), nullptr, nullptr, nullptr));
  Key issuer_key(PEM_read_bio_PrivateKey(memory(ca.key).get(), nullptr, nullptr, nullptr));
  Key key(EVP_EC_gen("P-256"));
  X509Certificate made = bare("leaf", key.get(), leaf);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
  add_extension(made.get(), issuer.get(), NID_subject_alt_name, leaf.names);
  require(X509_sign(made.get(), issuer_key.get(), EVP_sha256()) > 0);
  return to_pem(made.get(), key.get());
}

}  // namespace blackstart::test
