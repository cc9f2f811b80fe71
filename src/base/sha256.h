/// SHA-256 by OpenSSL's EVP interface (uses SHA-NI where the CPU has it).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mica {
using Sha256Bytes = std::array<unsigned char, 32>;

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  Sha256& update(std::span<const unsigned char> bytes);
  Sha256& update(std::string_view bytes);
  /// Adds length and bytes, so that neighbouring fields cannot run together: for keys made of several strings.
  Sha256& field(std::string_view bytes);
  Sha256& field(std::uint64_t number);
  /// The digest of everything so far. The object must not be used afterwards.
  Sha256Bytes finish();
  std::string finish_hex();

 private:
  void* context_;  // EVP_MD_CTX
};

Sha256Bytes sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
}  // namespace mica
