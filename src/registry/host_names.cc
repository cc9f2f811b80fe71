#include "registry/host_names.h"

#include <arpa/inet.h>

#include "base/text.h"

namespace mica::registry {
namespace {

std::string_view without_default_port(std::string_view host) { return host.ends_with(":443") ? host.substr(0, host.size() - 4) : host; }

}  // namespace

std::string registry_host(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find('/'));
  std::string host = to_lower(text);
  const std::size_t port = host.starts_with('[') ? host.npos : host.rfind(':');
  const std::size_t end = port == host.npos ? host.size() : port;
  if (end > 1 && host[end - 1] == '.') host.erase(end - 1, 1);
  const std::string_view bare = without_default_port(host);
  if (bare == kHub || bare == "index.docker.io" || bare == kHubAddress) return std::string(kHub);
  return host;
}

bool same_registry(std::string_view a, std::string_view b) {
  const std::string first = registry_host(a), second = registry_host(b);
  return without_default_port(first) == without_default_port(second);
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  const auto colon = host.find(':');
  // More than one: an IPv6 address without brackets.
  return colon != host.npos && host.find(':', colon + 1) != host.npos ? host : host.substr(0, colon);
}

bool is_loopback(std::string_view host) {
  const std::string name = to_lower(trim_right(without_port(host), "."));
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  in_addr four{};
  if (::inet_pton(AF_INET, name.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, name.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

}  // namespace mica::registry
