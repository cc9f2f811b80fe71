#include "container/ports.h"

#include <arpa/inet.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::container {
namespace {

struct Range {
  std::uint16_t first = 0, last = 0;
  int size() const { return last - first + 1; }
};

Result<Range> parse_range(std::string_view text, std::string_view what, std::string_view whole) {
  const auto ends = split_once(text, '-');
  auto port = [](std::string_view word) -> std::optional<std::uint16_t> {
    const auto number = parse_int(word);
    if (!number || *number < 0 || *number > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
  };
  const auto first = port(ends ? ends->first : text), last = port(ends ? ends->second : text);
  if (!first || !last || *last < *first) return failf(Errc::invalid_argument, "invalid {}: {}", what, what == "containerPort" ? text : what == "hostPort" ? text : whole);
  return Range{*first, *last};
}

Result<std::string> parse_protocol(std::string_view text) {
  std::string protocol = text.empty() ? "tcp" : to_lower(text);
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") return failf(Errc::invalid_argument, "invalid proto: {}", text);
  return protocol;
}

bool is_address(const std::string& text) {
  in6_addr buffer;
  return ::inet_pton(AF_INET, text.c_str(), &buffer) == 1 || ::inet_pton(AF_INET6, text.c_str(), &buffer) == 1;
}

struct Parts {
  std::string ip;
  std::string_view host, container;
};

/// From the right: an IPv6 address has colons of its own and stands in brackets.
Parts split_parts(std::string_view text) {
  Parts parts;
  const auto last = text.rfind(':');
  parts.container = last == text.npos ? text : text.substr(last + 1);
  if (last == text.npos) return parts;
  const std::string_view rest = text.substr(0, last);
  const auto before = rest.rfind(':');
  if (before == rest.npos || (rest.starts_with("[") && rest.ends_with("]"))) {
    if (rest.starts_with("[")) parts.ip = rest;
    else parts.host = rest;
    return parts;
  }
  parts.ip = rest.substr(0, before);
  parts.host = rest.substr(before + 1);
  return parts;
}

}  // namespace

Result<std::vector<PortBinding>> parse_publish(std::string_view text) {
  const auto slash = split_once(text, '/');
  const std::string protocol = TRY(parse_protocol(slash ? slash->second : ""));
  Parts parts = split_parts(slash ? slash->first : text);
  if (parts.ip.starts_with("[") && parts.ip.ends_with("]")) parts.ip = parts.ip.substr(1, parts.ip.size() - 2);
  if (!parts.ip.empty() && !is_address(parts.ip)) return failf(Errc::invalid_argument, "invalid IP address: {}", parts.ip);
  if (parts.container.empty()) return failf(Errc::invalid_argument, "no port specified: {}<empty>", text);
  const Range inside = TRY(parse_range(parts.container, "containerPort", text));
  Range outside;
  const bool fixed = !parts.host.empty();
  if (fixed) outside = TRY(parse_range(parts.host, "hostPort", text));
  const bool choose = fixed && inside.size() == 1 && outside.size() > 1;
  if (fixed && !choose && inside.size() != outside.size()) return failf(Errc::invalid_argument, "invalid ranges specified for container and host Ports: {} and {}", parts.container, parts.host);
  std::vector<PortBinding> bindings;
  for (int i = 0; i < inside.size(); ++i) {
    PortBinding binding{.container_port = static_cast<std::uint16_t>(inside.first + i), .protocol = protocol, .host_ip = parts.ip};
    if (choose) {
      binding.host_port = outside.first;
      binding.host_port_end = outside.last;
    } else if (fixed) {
      binding.host_port = static_cast<std::uint16_t>(outside.first + i);
    }
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

Result<std::vector<std::string>> parse_expose(std::string_view text) {
  if (text.find(':') != text.npos) return failf(Errc::invalid_argument, "invalid port format for --expose: {}", text);
  const auto slash = split_once(text, '/');
  auto protocol = parse_protocol(slash ? slash->second : "");
  auto range = parse_range(slash ? slash->first : text, "range", text);
  if (!protocol || !range) return failf(Errc::invalid_argument, "invalid range format for --expose: {}, error: {}", text, protocol ? "invalid port" : protocol.error().message());
  std::vector<std::string> ports;
  for (int i = 0; i < range->size(); ++i) ports.push_back(format("{}/{}", range->first + i, *protocol));
  return ports;
}

}  // namespace mica::container
