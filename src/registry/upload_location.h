/// Where an upload session goes on and how far it is, as its answers say.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "oci/digest.h"
#include "registry/request.h"

namespace mica::registry {

/// `location` seen from `asked`, its query byte for byte. Where it only differs from `asked` in having lost the "s" of https (a registry
/// behind a proxy that ends TLS) the "s" stays: credentials do not go out in the clear.
std::string upload_url(const std::string& asked, const std::string& location);

/// The Location of an answer; empty when it has none.
std::string location_of(const Reply& reply);

/// With "digest=" at the end of its query.
std::string with_digest(const std::string& url, const oci::Digest& digest);

/// Bytes that the registry has, by "Range: 0-N" (inclusive, OCI distribution spec; some say "bytes=0-N"). "0-0" is what some say for none:
/// taken so, since sending one byte again costs nothing and missing one spoils the blob. nullopt: it does not say.
std::optional<std::int64_t> accepted_bytes(std::string_view range);

}  // namespace mica::registry
