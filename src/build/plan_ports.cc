#include "build/plan_ports.h"

#include <arpa/inet.h>

#include <optional>

#include "base/format.h"
#include "base/text.h"

namespace mica::build {
namespace {

constexpr std::int64_t kMaxPort = 65535;

struct PortRange {
  std::int64_t first = 0, last = 0;
};

std::optional<std::int64_t> port_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  const auto port = parse_int(text);
  return port && *port <= kMaxPort ? port : std::nullopt;
}

std::optional<PortRange> range_of(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() > 2) return std::nullopt;
  const auto first = port_of(parts.front()), last = port_of(parts.back());
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

bool is_address(std::string text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

}  // namespace

Result<ExposedPorts> parse_exposed(const std::string& word) {
  // From the right: the address may hold colons itself.
  const auto port_at = word.rfind(':');
  std::string port = word.substr(port_at == word.npos ? 0 : port_at + 1), host, address;
  if (port_at != word.npos) {
    const auto host_at = port_at == 0 ? word.npos : word.rfind(':', port_at - 1);
    host = word.substr(host_at == word.npos ? 0 : host_at + 1, port_at - (host_at == word.npos ? 0 : host_at + 1));
    if (host_at != word.npos) address = word.substr(0, host_at);
  }
  std::string protocol;
  if (const auto slash = port.find('/'); slash != port.npos) {
    protocol = port.substr(slash + 1);
    port.resize(slash);
  }
  ExposedPorts exposed{
      .ports = {}, .has_host_part = !host.empty() || !address.empty(), .mixed_case_protocol = to_lower(protocol) != protocol};
  protocol = protocol.empty() ? "tcp" : to_lower(protocol);
  if (port.empty()) return failf(Errc::invalid_argument, "invalid port: {}: no port specified", quoted(word));
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    return fail(Error(Errc::invalid_argument, format("invalid port: {}: invalid proto: {}", quoted(word), protocol))
                    .with_hint("a protocol is tcp, udp or sctp"));
  if (!address.empty() && !is_address(address)) return failf(Errc::invalid_argument, "invalid IP address: {}", address);
  const auto range = range_of(port);
  if (!range)
    return fail(Error(Errc::invalid_argument, format("invalid containerPort: {}", port))
                    .with_hint("a port is a number from 0 to 65535, or a range such as 8000-8010"));
  if (!host.empty()) {
    const auto on_host = range_of(host);
    if (!on_host) return failf(Errc::invalid_argument, "invalid hostPort: {}", host);
    if (on_host->last - on_host->first != range->last - range->first && range->last != range->first)
      return failf(Errc::invalid_argument, "invalid ranges specified for container and host Ports: {} and {}", port, host);
  }
  for (std::int64_t number = range->first; number <= range->last; ++number)
    exposed.ports.push_back(format("{}/{}", number, protocol));
  return exposed;
}

}  // namespace mica::build
