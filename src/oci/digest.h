/// Digests and the distinct things they name.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::oci {

/// "sha256:<64 hex>" of stored bytes (OCI Image Spec, descriptor.md, "Digests"). Empty when default-constructed.
class Digest {
 public:
  Digest() = default;
  /// Accepts sha256 only. Errors: invalid_argument, unsupported (another algorithm).
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes);
  static Digest from_hex(std::string hex);   ///< trusted 64 lower-case hex digits
  std::string str() const { return empty() ? "" : "sha256:" + hex_; }
  const std::string& hex() const { return hex_; }
  std::string short_hex() const { return hex_.substr(0, 12); }
  bool empty() const { return hex_.empty(); }
  auto operator<=>(const Digest&) const = default;

 private:
  std::string hex_;
};

/// Digest of a layer's uncompressed tar.
struct DiffId {
  Digest digest;
  auto operator<=>(const DiffId&) const = default;
};
/// Digest of an image's config: what Docker calls the image id.
struct ImageId {
  Digest digest;
  auto operator<=>(const ImageId&) const = default;
};
}  // namespace mica::oci
