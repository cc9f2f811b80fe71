/// What a request takes from its surroundings: certificates and proxies.
#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "http/curl_library.h"
#include "http/url.h"

namespace mica::http {

/// The system's certificates (or SSL_CERT_FILE's) and those of `extra_file` as one PEM text: libcurl takes one file, and the extra
/// one must not replace the others. Errors: invalid_argument (`extra_file` cannot be read or holds no certificate).
Result<std::string> certificates_with(const CurlLibrary& curl, const std::string& extra_file);

/// What to tell libcurl about proxies: nullopt: let it look into the environment; "": none; else that one. libcurl ignores HTTP_PROXY
/// in capitals, because a CGI program gets request headers under such names; Go's programs, Docker among them, read it.
std::optional<std::string> proxy_for(const Origin& origin);

}  // namespace mica::http
