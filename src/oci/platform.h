/// os/architecture[/variant], as containerd's platforms package normalises them.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::oci {
struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;
  std::string os_version;
  /// "linux/arm64/v8", "arm64", "linux" (with the host's architecture), "amd64"; x86_64 is amd64, aarch64 is arm64 (variant v8
  /// dropped), armhf is arm/v7, "local" is the host. Errors: invalid_argument.
  static Result<Platform> parse(std::string_view text);
  static Platform host();
  std::string str() const;
  auto operator<=>(const Platform&) const = default;
};
/// How well an image of `have` serves a request for `want`: 0 not at all, more is better. Same os and architecture; an ARM or
/// x86-64 of a lower level also runs (arm/v7 takes v7, then v6, then v5; amd64/v3 takes v3, v2, plain).
int preference(const Platform& want, const Platform& have);
/// True when an image of `have` can serve a request for `want` (preference() is not 0).
bool matches(const Platform& want, const Platform& have);
}  // namespace mica::oci
