#include "container/published_ports.h"

#include <dirent.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::container {

namespace {

using runtime::IpAddress;

constexpr const char *kAnyV4 = "0.0.0.0", *kAnyV6 = "::";
constexpr int kFirstFree = 32768, kLastFree = 60999, kLastPort = 65535;
constexpr std::size_t kMaxProcBytes = 256;

bool has_ipv6() { return sys::exists("/proc/net/if_inet6"); }

/// What the kernel gives to those who do not care which.
std::pair<int, int> free_range() {
  const std::string text = sys::read_file("/proc/sys/net/ipv4/ip_local_port_range", kMaxProcBytes).value_or("");
  const auto words = split_blanks(text);
  const auto first = words.size() == 2 ? parse_int(words[0]) : std::nullopt, last = words.size() == 2 ? parse_int(words[1]) : std::nullopt;
  if (!first || !last || *first < 1 || *last > kLastPort || *first > *last) return {kFirstFree, kLastFree};
  return {static_cast<int>(*first), static_cast<int>(*last)};
}

std::vector<EndpointRecord> everybody(const Ground& ground) {
  auto out = live_records(ground.folder);
  DIR* directory = ::opendir(ground.folder.c_str());
  if (!directory) return out;
  while (const auto* entry = ::readdir(directory)) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    for (auto& record : live_records(ground.folder + "/" + entry->d_name)) out.push_back(std::move(record));
  }
  ::closedir(directory);
  return out;
}

bool covers(const std::string& a, const std::string& b) {
  const bool any = a == kAnyV4 || a == kAnyV6 || b == kAnyV4 || b == kAnyV6;
  return a == b || (any && (a.find(':') == a.npos) == (b.find(':') == b.npos));
}

Error taken(const Ground& ground, const PortBinding& binding, const std::string& address, int port) {
  const std::string shown = address.find(':') == address.npos ? address : "[" + address + "]";
  for (const auto& record : everybody(ground))
    for (const auto& other : record.ports)
      if (other.port == port && other.protocol == binding.protocol && covers(other.address, address))
        return Error(Errc::conflict, format("Bind for {}:{} failed: port is already allocated", shown, port)).with_hint(format("container {} has it", record.name));
  return Error(Errc::conflict, format("failed to bind host port for {}:{}/{}: address already in use", shown, port, binding.protocol))
      .with_hint("another program of this machine listens there (ss -lntup shows which)");
}

/// The same port on all `addresses`; nothing when somebody has it on one.
Result<std::vector<OpenPort>> open_on(const Ground& ground, const PortBinding& binding, const std::vector<std::string>& addresses, int port) {
  std::vector<OpenPort> out;
  for (const auto& address : addresses) {
    auto socket = open_port(binding.protocol, address, port);
    if (!socket && socket.error().code() == Errc::unsupported && addresses.size() > 1) continue;   // no IPv6 here after all
    if (!socket && socket.error().code() == Errc::conflict) return fail(taken(ground, binding, address, port));
    if (!socket && socket.error().code() == Errc::permission_denied && ground.shared)
      return fail(std::move(socket).error().with_hint("without root, ports below net.ipv4.ip_unprivileged_port_start (1024) cannot be published"));
    if (!socket) return fail(std::move(socket).error());
    OpenPort opened{.binding = binding, .socket = std::move(*socket), .proxy = nullptr};
    opened.binding.host_ip = address;
    opened.binding.host_port = static_cast<std::uint16_t>(port);
    opened.binding.host_port_end = 0;
    out.push_back(std::move(opened));
  }
  return out;
}

Result<std::vector<OpenPort>> open_one(const Ground& ground, const PortBinding& binding) {
  if (binding.protocol == "sctp") return fail(Errc::unsupported, "publishing SCTP ports is not supported");
  std::vector<std::string> addresses{binding.host_ip};
  if (binding.host_ip.empty()) {
    addresses = {kAnyV4};
    if (has_ipv6()) addresses.emplace_back(kAnyV6);
  } else if (!IpAddress::parse(binding.host_ip)) {
    return failf(Errc::invalid_argument, "invalid IP address {} to publish port {}", quoted(binding.host_ip), binding.container_port);
  }
  if (binding.host_port && binding.host_port_end <= binding.host_port) return open_on(ground, binding, addresses, binding.host_port);
  auto [first, last] = free_range();
  if (binding.host_port) {
    first = binding.host_port;
    last = binding.host_port_end;
  }
  for (int port = first; port <= last; ++port) {
    auto opened = open_on(ground, binding, addresses, port);
    if (opened || opened.error().code() != Errc::conflict) return opened;
    if (port == last && binding.host_port) return opened;
  }
  return fail(Errc::resource_exhausted, "all ports are allocated");
}

/// Only what comes from outside is for the firewall: it never sees what goes to loopback addresses.
bool wants_rules(const Ground& ground, const PortBinding& binding) {
  const auto address = IpAddress::parse(binding.host_ip);
  return !ground.shared && address && !address->is_loopback();
}

}  // namespace

Result<PublishedPorts> PublishedPorts::open(const Ground& ground, const std::vector<PortBinding>& wanted) {
  PublishedPorts out;
  for (const auto& binding : wanted) {
    auto opened = TRY(open_one(ground, binding));
    for (auto& port : opened) out.ports_.push_back(std::move(port));
  }
  return out;
}

Result<> PublishedPorts::lead_to(const Ground& ground, EventLoop& loop, Joined& joined) {
  std::vector<runtime::FirewallRule> rules;
  joined.record.ports.clear();
  for (auto& port : ports_) {
    const bool v6 = port.binding.host_ip.find(':') != std::string::npos;
    // Those that come by IPv6 are served by IPv4 where the container has nothing else.
    const std::string& target = v6 && !joined.ipv6.empty() ? joined.ipv6 : joined.ipv4.empty() ? joined.ipv6 : joined.ipv4;
    joined.record.ports.push_back({port.binding.protocol, port.binding.host_ip, port.binding.host_port});
    if (wants_rules(ground, port.binding) && v6 == (target.find(':') != target.npos) && !joined.bridge.empty()) {
      const bool any = port.binding.host_ip == kAnyV4 || port.binding.host_ip == kAnyV6;
      for (auto& rule : runtime::port_rules({.bridge = joined.bridge, .protocol = port.binding.protocol, .host_address = any ? "" : port.binding.host_ip, .address = target,
                                             .host_port = port.binding.host_port, .port = port.binding.container_port, .v6 = v6}))
        if (!std::ranges::count(rules, rule)) rules.push_back(std::move(rule));
    }
    const PortProxy::Target to{target, port.binding.container_port};
    if (port.proxy) port.proxy->set_target(to);
    else port.proxy = std::make_unique<PortProxy>(loop, std::move(port.socket), port.binding.protocol == "udp", to, ground.name_space);
  }
  joined.record.rules = joined.own_rules;
  joined.record.rules.insert(joined.record.rules.end(), rules.begin(), rules.end());
  // Written first: what a crash leaves must be known.
  TRY(joined.lease.write(joined.record));
  return runtime::add_rules(ground.name_space, rules);
}

void PublishedPorts::lead_nowhere(const Ground& ground, Joined& joined) {
  std::erase_if(joined.record.rules, [&](const auto& rule) { return std::ranges::count(joined.own_rules, rule) > 0; });
  if (!joined.record.rules.empty()) runtime::remove_rules(ground.name_space, joined.record.rules);
  joined.record.rules = joined.own_rules;
  joined.record.ports.clear();
  if (auto written = joined.lease.write(joined.record); !written) log::debug("{}", written.error().text());
}

}  // namespace mica::container
