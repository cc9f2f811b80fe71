/// URLs as far as requests need them, by libcurl's parser: the one that will connect decides what the host is.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/curl_library.h"

namespace mica::http {

/// Scheme, host and port: what credentials are bound to.
struct Origin {
  std::string scheme, host, port;      ///< lower case; the port is never empty
  bool operator==(const Origin&) const = default;
};
/// Errors: invalid_argument (no URL, or not http or https).
Result<Origin> origin_of(const CurlLibrary& curl, const std::string& url);
/// localhost and the loopback addresses.
bool is_this_machine(const Origin& origin);
/// Without user, query and fragment, for messages.
std::string shown(std::string_view url);

}  // namespace mica::http
