#include "container/network_endpoint.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/netlink.h"
#include "runtime/network.h"

namespace mica::container {

namespace {

using runtime::IpAddress;
using runtime::IpPrefix;
using runtime::Netlink;

constexpr std::size_t kShortDigits = 12;
constexpr int kMaxVlan = 4094;
constexpr std::uint16_t kIpvlanL2 = 0, kIpvlanL3 = 1, kIpvlanL3s = 2;   // IPVLAN_MODE_*

/// Derived from the address, so that what neighbours remember is right after the next start too.
std::string mac_for(const Lease& lease) {
  unsigned char raw[16] = {};
  const auto address = IpAddress::parse(lease.ipv4().empty() ? lease.ipv6() : lease.ipv4());
  if (address) address->bytes(raw);
  const int at = address && address->v6 ? 12 : 0;
  return format("02:42:{:02x}:{:02x}:{:02x}:{:02x}", raw[at], raw[at + 1], raw[at + 2], raw[at + 3]);
}

void add_unique(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && !std::ranges::count(names, name)) names.push_back(name);
}

std::vector<std::string> names_of(const NetworkRequest& request, const NetworkRow& network, const Endpoint& endpoint) {
  std::vector<std::string> names;
  if (is_default_bridge(network)) return names;
  add_unique(names, request.name);
  for (const auto& alias : endpoint.aliases) add_unique(names, alias);
  add_unique(names, request.id.substr(0, kShortDigits));
  add_unique(names, request.hostname);
  return names;
}

void set_sysctl(const std::string& path, const char* value) {
  const sys::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && ::write(file.get(), value, 1) != 1) log::debug("writing {}: errno {}", path, errno);
}

/// The machine's interface that macvlan and ipvlan sit on: the one named, made as a VLAN of another when it is written "eth0.50", or one that leads nowhere.
Result<int> parent_of(Netlink& links, const NetworkRow& network) {
  std::string name = option(network.options, "parent");
  const bool nowhere = name.empty() || network.internal;
  if (name.empty()) name = "dm-" + network.id.substr(0, kShortDigits);
  if (const auto there = TRY(links.find(name))) return there->index;
  const auto parts = split_once(name, '.');
  const auto tag = parts ? parse_int(parts->second) : std::nullopt;
  if (parts && tag && *tag > 0 && *tag <= kMaxVlan) {
    const auto below = TRY(links.find(std::string(parts->first)));
    if (!below) return failf(Errc::not_found, "the parent interface {} of network {} was not found", parts->first, network.name);
    TRY(links.add_vlan({.name = name}, below->index, static_cast<int>(*tag)));
  } else if (nowhere) {
    TRY(links.add_dummy({.name = name}));
  } else {
    return failf(Errc::not_found, "the parent interface {} of network {} was not found", name, network.name);
  }
  const auto made = TRY(links.find(name));
  if (!made) return failf(Errc::unavailable, "interface {} went away while it was made", name);
  return made->index;
}

Result<> add_interface(const Ground& ground, const NetworkRow& network, const Bridge& bridge, Joined& joined, const sys::Fd& inside) {
  auto links = TRY(Netlink::open_in(ground.name_space));
  const runtime::NewLink inner{.name = joined.interface, .mac = network.driver == "ipvlan" ? "" : joined.mac, .mtu = bridge.mtu, .name_space = inside.get()};
  if (network.driver == "bridge") return links.add_veth({.name = joined.record.link, .mtu = bridge.mtu}, bridge.index, inner);
  const int parent = TRY(parent_of(links, network));
  if (network.driver == "macvlan") {
    const auto mode = option(network.options, "macvlan_mode");
    return links.add_macvlan(inner, parent, mode == "private" ? MACVLAN_MODE_PRIVATE : mode == "vepa" ? MACVLAN_MODE_VEPA : mode == "passthru" ? MACVLAN_MODE_PASSTHRU : MACVLAN_MODE_BRIDGE);
  }
  const auto mode = option(network.options, "ipvlan_mode");
  return links.add_ipvlan(inner, parent, mode == "l3" ? kIpvlanL3 : mode == "l3s" ? kIpvlanL3s : kIpvlanL2);
}

Result<> set_up_inside(const Joined& joined) {
  const std::string setting = format("/proc/sys/net/ipv6/conf/{}/", joined.interface);
  set_sysctl(setting + "disable_ipv6", joined.ipv6.empty() ? "1" : "0");
  set_sysctl(setting + "accept_ra", "0");
  auto links = TRY(Netlink::open());
  auto all = TRY(links.links());
  for (const auto& link : all) {
    if (link.name == "lo" && !link.up) TRY(links.set_up(link.index));
    if (link.name != joined.interface) continue;
    if (!joined.ipv4.empty()) TRY(links.add_address(link.index, {*IpAddress::parse(joined.ipv4), joined.bits}));
    if (!joined.ipv6.empty()) TRY(links.add_address(link.index, {*IpAddress::parse(joined.ipv6), joined.bits6}));
    TRY(links.set_up(link.index));
  }
  return {};
}

Result<> check_endpoint(const NetworkRow& network, const Endpoint& endpoint) {
  if (!endpoint.ipv4.empty() || !endpoint.ipv6.empty()) {
    if (is_default_bridge(network)) return fail(Errc::invalid_argument, "user specified IP address is supported on user defined networks only");
    for (const auto& wanted : {endpoint.ipv4, endpoint.ipv6}) {
      const auto address = IpAddress::parse(wanted);
      const auto has = [&](const Subnet& subnet) {
        const auto prefix = IpPrefix::parse(subnet.subnet);
        return !subnet.chosen && prefix && address && prefix->address.v6 == address->v6;
      };
      if (address && std::ranges::none_of(network.subnets, has))
        return failf(Errc::invalid_argument, "invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets");
    }
  }
  if (is_default_bridge(network) && !endpoint.aliases.empty()) return fail(Errc::invalid_argument, "network-scoped alias is supported only for containers in user defined networks");
  if (!endpoint.link_local_ips.empty())
    for (const auto& text : endpoint.link_local_ips)
      if (!IpAddress::parse(text)) return failf(Errc::invalid_argument, "invalid link-local IP address {}", quoted(text));
  return {};
}

}  // namespace

Result<Joined> join_network(const Ground& ground, const NetworkRequest& request, const NetworkRow& network, const Endpoint& endpoint, const sys::Fd& inside,
                            const std::string& interface) {
  TRY(check_endpoint(network, endpoint));
  TRY(sys::make_directories(ground.folder_of(network), 0700));
  Bridge bridge{.name = {}, .subnets = network.subnets};
  if (network.driver == "bridge") bridge = TRY(ensure_bridge(ground, network));
  else if (ground.shared) return failf(Errc::unsupported, "the {} driver is not available without root", network.driver);
  else if (const auto mtu = parse_int(option(network.options, "com.docker.network.driver.mtu"))) bridge.mtu = static_cast<int>(*mtu);
  Joined joined{.network = network, .endpoint = endpoint, .id = random_hex(32), .interface = interface, .bridge = bridge.name};
  if (const auto name = option(endpoint.driver_options, "com.docker.network.endpoint.ifname"); !name.empty()) joined.interface = name;
  auto finish = [&]() -> Result<> {
    joined.lease = TRY(lease_addresses(ground, network, bridge.subnets, endpoint.ipv4, endpoint.ipv6));
    joined.ipv4 = joined.lease.ipv4();
    joined.ipv6 = joined.lease.ipv6();
    joined.mac = endpoint.mac.empty() ? mac_for(joined.lease) : to_lower(endpoint.mac);
    for (const auto& subnet : bridge.subnets) {
      const auto prefix = TRY(IpPrefix::parse(subnet.subnet));
      const auto address = IpAddress::parse(prefix.address.v6 ? joined.ipv6 : joined.ipv4);
      if (!address || !prefix.contains(*address)) continue;
      (prefix.address.v6 ? joined.bits6 : joined.bits) = prefix.bits;
      // Docker's macvlan and ipvlan have the subnet's first address as gateway unless told another, and none in the l3 modes.
      const std::string gateway = subnet.gateway.empty() ? prefix.host(1).text() : subnet.gateway;
      if (!network.internal) (prefix.address.v6 ? joined.gateway6 : joined.gateway) = gateway;
    }
    joined.dns_names = names_of(request, network, endpoint);
    joined.record = {.container = request.id, .name = request.name, .network = network.id, .network_name = network.name,
                     .link = network.driver == "bridge" ? "veth" + random_hex(4).substr(1) : "", .ipv4 = joined.ipv4, .ipv6 = joined.ipv6, .names = joined.dns_names};
    const auto asks = [](const std::string& host) { return host.ends_with(format(":{}", runtime::kHostGateway)); };
    if (!ground.host_gateway.empty() && !joined.ipv4.empty() && std::ranges::any_of(request.extra_hosts, asks))
      joined.own_rules = {{false, true, "filter", "FORWARD", format("-s {} -d {} -j ACCEPT", joined.ipv4, ground.host_gateway)}};
    joined.record.rules = joined.own_rules;
    if (!joined.lease.empty()) TRY(joined.lease.write(joined.record));
    TRY(runtime::add_rules(ground.name_space, joined.own_rules));
    TRY(add_interface(ground, network, bridge, joined, inside));
    Result<> done;
    TRY(runtime::in_namespace(inside, [&] { done = set_up_inside(joined); }));
    return done;
  };
  auto finished = finish();
  if (!finished) {
    leave_network(ground, joined);
    return fail(std::move(finished).error());
  }
  return joined;
}

void leave_network(const Ground& ground, Joined& joined) {
  if (!joined.record.rules.empty()) runtime::remove_rules(ground.name_space, joined.record.rules);
  if (!joined.record.link.empty())
    if (auto links = Netlink::open_in(ground.name_space))
      if (auto removed = links->remove_link(joined.record.link); !removed) log::debug("{}", removed.error().text());
  joined.lease.release();
  remove_unused_bridge(ground, ground.folder_of(joined.network));
  if (joined.network.driver != "bridge" && !is_in_use(ground.folder_of(joined.network)))
    if (auto links = Netlink::open_in(ground.name_space))
      if (auto removed = links->remove_link("dm-" + joined.network.id.substr(0, kShortDigits)); !removed) log::debug("{}", removed.error().text());
}

int default_endpoint(const std::vector<Joined>& joined) {
  int best = -1;
  for (std::size_t i = 0; i < joined.size(); ++i) {
    const auto& one = joined[i];
    if (one.gateway.empty() && one.gateway6.empty()) continue;
    if (best >= 0) {
      const auto& other = joined[static_cast<std::size_t>(best)];
      if (one.endpoint.gateway_priority < other.endpoint.gateway_priority) continue;
      if (one.endpoint.gateway_priority == other.endpoint.gateway_priority && one.network.name >= other.network.name) continue;
    }
    best = static_cast<int>(i);
  }
  return best;
}

Result<int> choose_default_route(const sys::Fd& inside, const std::vector<Joined>& joined) {
  const int chosen = default_endpoint(joined);
  Result<> done;
  TRY(runtime::in_namespace(inside, [&] {
    done = [&]() -> Result<> {
      auto links = TRY(Netlink::open());
      const auto routes = TRY(links.routes());
      for (const auto& route : routes)
        if (route.to.bits == 0) TRY(links.remove_route(route));
      if (chosen < 0) return {};
      const auto& one = joined[static_cast<std::size_t>(chosen)];
      const auto link = TRY(links.find(one.interface));
      if (!link) return failf(Errc::internal, "interface {} of the container is missing", one.interface);
      const auto mode = option(one.network.options, "ipvlan_mode");
      const bool routed = one.network.driver == "ipvlan" && (mode == "l3" || mode == "l3s");
      if (!one.gateway.empty()) TRY(links.add_route({.to = {}, .gateway = routed ? std::nullopt : IpAddress::parse(one.gateway), .link = link->index}));
      if (!one.gateway6.empty()) TRY(links.add_route({.to = {{.v6 = true}, 0}, .gateway = routed ? std::nullopt : IpAddress::parse(one.gateway6), .link = link->index}));
      return {};
    }();
  }));
  TRY(std::move(done));
  return chosen;
}

}  // namespace mica::container
