#include "oci/digest.h"

#include <algorithm>

#include "base/format.h"
#include "base/sha256.h"

namespace mica::oci {
namespace {
constexpr std::size_t kHexDigits = 64;

/// Without a branch a character: in a digest no predictor guesses whether the next is a letter, and lists are made of digests.
bool is_lower_hex(std::string_view text) {
  bool good = true;
  for (const char c : text) good &= ((c >= '0') & (c <= '9')) | ((c >= 'a') & (c <= 'f'));
  return good;
}
}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0)
    return failf(Errc::invalid_argument, "invalid digest {}: want sha256:<64 hex digits>", quoted(text.substr(0, 200)));
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view encoded = text.substr(colon + 1);
  if (algorithm != "sha256") {
    const bool word = std::ranges::all_of(algorithm, [](char c) { return std::string_view("+._-").contains(c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
    if (!word || algorithm.size() > 32)
      return failf(Errc::invalid_argument, "invalid digest {}: want sha256:<64 hex digits>", quoted(text.substr(0, 200)));
    return failf(Errc::unsupported, "unsupported digest algorithm {}: only sha256 is", quoted(algorithm));
  }
  if (encoded.size() != kHexDigits || !is_lower_hex(encoded))
    return failf(Errc::invalid_argument, "invalid digest {}: want 64 lower-case hex digits after sha256:", quoted(text.substr(0, 200)));
  return from_hex(std::string(encoded));
}

Digest Digest::of(std::string_view bytes) { return from_hex(sha256_hex(bytes)); }

Digest Digest::from_hex(std::string hex) {
  MICA_ASSERT(hex.size() == kHexDigits && is_lower_hex(hex), "a sha256 is 64 lower-case hex digits");
  Digest digest;
  digest.hex_ = std::move(hex);
  return digest;
}

}  // namespace mica::oci
