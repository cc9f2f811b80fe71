/// The host's CA bundle, for `build --ca`.
#pragma once
#include <string>

#include "base/error.h"

namespace mica::engine {

/// "host": $SSL_CERT_FILE, else the first of the usual places of a CA bundle; else `choice` itself as a path. Returns an absolute
/// path of a readable file. Errors: not_found.
Result<std::string> find_ca_bundle(const std::string& choice);

}  // namespace mica::engine
