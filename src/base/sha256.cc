#include "base/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <bit>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace mica {

namespace {
static_assert(std::endian::native == std::endian::little, "field() hashes numbers in memory order");

const EVP_MD* algorithm() {
  // Fetched once and kept: looking it up by name costs more than hashing a small string. No configuration file is read and
  // nothing is torn down at exit, which keeps short runs short.
  static const EVP_MD* const fetched = [] {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
    return EVP_MD_fetch(nullptr, "SHA256", nullptr);
  }();
  MICA_ASSERT(fetched, "libcrypto has SHA-256 built in");
  return fetched;
}

EVP_MD_CTX* evp(void* context) { return static_cast<EVP_MD_CTX*>(context); }
}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  const bool started = EVP_DigestInit_ex2(evp(context_), algorithm(), nullptr) == 1;
  MICA_ASSERT(started, "a digest can always be started");
}
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}
Sha256::~Sha256() { EVP_MD_CTX_free(evp(context_)); }

Sha256& Sha256::update(std::span<const unsigned char> bytes) {
  EVP_DigestUpdate(evp(context_), bytes.data(), bytes.size());
  return *this;
}
Sha256& Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(evp(context_), bytes.data(), bytes.size());
  return *this;
}
Sha256& Sha256::field(std::string_view bytes) {
  const std::uint64_t length = bytes.size();
  EVP_DigestUpdate(evp(context_), &length, sizeof length);
  return update(bytes);
}
Sha256& Sha256::field(std::uint64_t number) {
  return field(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

Sha256Bytes Sha256::finish() {
  Sha256Bytes digest;
  const bool done = EVP_DigestFinal_ex(evp(context_), digest.data(), nullptr) == 1;
  MICA_ASSERT(done, "a digest can always be finished");
  return digest;
}
std::string Sha256::finish_hex() { return hex(finish()); }

Sha256Bytes sha256(std::string_view bytes) { return Sha256().update(bytes).finish(); }
std::string sha256_hex(std::string_view bytes) { return hex(sha256(bytes)); }

}  // namespace mica
