#include <openssl/evp.h>

#include "orchestrator/base/hex.h"
#include "orchestrator/base/text.h"

namespace blackstart {
namespace {
constexpr const char* kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

EVP_MD_CTX* context_of(void* state) { return static_cast<EVP_MD_CTX*>(state); }

/// Looked up once: OpenSSL searches its providers each time for what EVP_sha256() names.
const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}
}  // namespace

Sha256::Sha256() : state_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_of(state_), sha256(), nullptr);
}
Sha256::~Sha256() { EVP_MD_CTX_free(context_of(state_)); }

void Sha256::update(std::string_view data) {
  EVP_DigestUpdate(context_of(state_), data.data(), data.size());
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_of(state_), digest, &size);
  return blackstart::hex({reinterpret_cast<const char*>(digest), size});
}

std::string sha256_hex(std::string_view data) {
  Sha256 digest;
  digest.update(data);
  return digest.hex();
}

std::string base64_encode(std::string_view data) {
  std::string text(4 * ((data.size() + 2) / 3) + 1, '\0');
  int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                             reinterpret_cast<const unsigned char*>(data.data()),
                             static_cast<int>(data.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

// OpenSSL alone would also take white space around the text and '=' anywhere in it.
std::optional<std::string> base64_decode(std::string_view wrapped) {
  std::string text(wrapped);
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.find_first_not_of(kBase64) < text.size() - padding) return std::nullopt;
  std::string data(text.size() / 4 * 3 + 1, '\0');
  int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(data.data()),
                             reinterpret_cast<const unsigned char*>(text.data()),
                             static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  data.resize(static_cast<size_t>(size) - padding);
  return data;
}

}  // namespace blackstart
