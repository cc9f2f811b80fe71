#include "engine/extra_hosts.h"

#include <arpa/inet.h>

#include "base/format.h"
#include "base/text.h"
#include "runtime/network.h"

namespace mica::engine {

namespace {

bool is_address(const std::string& text) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_extra_host(std::string_view text) {
  // An IPv6 address has colons too: the first one ends the name, unless there is a "=".
  auto parts = split_once(text, '=');
  if (!parts) parts = split_once(text, ':');
  if (!parts || parts->first.empty() || parts->first.find(':') != parts->first.npos)
    return failf(Errc::invalid_argument, "bad format for add-host: {}", quoted(text));
  std::string_view address = parts->second;
  if (address.size() > 2 && address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address != runtime::kHostGateway && !is_address(std::string(address)))
    return failf(Errc::invalid_argument, "invalid IP address in add-host: {}", quoted(address));
  return std::pair{std::string(parts->first), std::string(address)};
}

}  // namespace mica::engine
