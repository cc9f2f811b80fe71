/// Where a header's URL leads. Purely textual: an upload's Location must keep every byte of its query.
#pragma once
#include <string>
#include <string_view>

namespace mica::http {

/// `location` (absolute, "//host/x", "/x", "?x" or "x") as an absolute URL, seen from `base`, without fragment.
std::string resolve(std::string_view base, std::string_view location);

/// Scheme, host and port are the same; a missing port is the scheme's. Case of scheme and host does not matter. Text that is no http or
/// https URL has no origin: false.
bool same_origin(std::string_view a, std::string_view b);

/// "host:port" of an http or https URL, lower case, the port always there; empty for anything else.
std::string authority(std::string_view url);

/// localhost, 127.0.0.0/8 or ::1; with or without a port. Not a name that only starts like an address.
bool is_loopback(std::string_view host);

/// Without user, query and fragment, which may hold secrets: for messages.
std::string without_query(std::string_view url);

}  // namespace mica::http
