/// Names of registries, as people and files write them.
#pragma once
#include <string>
#include <string_view>

namespace mica::registry {

inline constexpr std::string_view kHub = "docker.io";                          ///< in references
inline constexpr std::string_view kHubAddress = "registry-1.docker.io";        ///< where its requests go
inline constexpr std::string_view kHubKey = "https://index.docker.io/v1/";     ///< under which its credentials are kept

/// The host[:port] in "Host:5000", "https://host/v1/" or "host/team/app": lower case, without a dot at the end; the hub's other names
/// become "docker.io".
std::string registry_host(std::string_view text);
/// The same server: registry_host() of both, where port 443 is as none.
bool same_registry(std::string_view a, std::string_view b);
/// Without port and brackets: "::1" of "[::1]:5000".
std::string_view without_port(std::string_view host);
/// localhost (and names below it), 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);

}  // namespace mica::registry
