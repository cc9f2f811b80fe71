#include "container/network_bridge.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "json/json.h"
#include "runtime/netlink.h"

namespace mica::container {

namespace {

using runtime::IpAddress;
using runtime::IpPrefix;
using runtime::Netlink;

constexpr int kUsualMtu = 1500, kLeastMtu = 68, kMostMtu = 65535;
constexpr const char* kBridgeFile = "/bridge.json";
// Away from what others choose: docker takes 172.17 to 172.31 from below, podman 10.88 and 10.89 from below.
constexpr const char* kDefaultPools[] = {"10.89.240.0/20", "172.31.240.0/20", "192.168.224.0/20"};
constexpr std::string_view kOptionsWeKnow[] = {"com.docker.network.bridge.name", "com.docker.network.bridge.enable_icc", "com.docker.network.bridge.enable_ip_masquerade",
                                               "com.docker.network.bridge.host_binding_ipv4", "com.docker.network.bridge.default_bridge", "com.docker.network.driver.mtu",
                                               "com.docker.network.bridge.gateway_mode_ipv4", "com.docker.network.bridge.gateway_mode_ipv6",
                                               "com.docker.network.container_iface_prefix", "com.docker.network.enable_ipv4", "com.docker.network.enable_ipv6", "mtu",
                                               "isolate", "vlan", "parent", "macvlan_mode", "ipvlan_mode", "ipvlan_flag"};

/// Frames that are larger than what the way out takes would come back as errors, or vanish.
int mtu_of_way_out(const std::vector<runtime::Route>& routes, const std::vector<runtime::Link>& links) {
  for (const auto& route : routes) {
    if (route.to.bits != 0 || route.to.address.v6) continue;
    const auto link = std::ranges::find(links, route.link, &runtime::Link::index);
    // Larger ones come from the loopback-like interfaces of virtual machines and pasta.
    if (link != links.end()) return std::min(link->mtu, kUsualMtu);
  }
  return kUsualMtu;
}

/// Stays the same for an address, so that what neighbours remember of it is not wrong after a restart.
std::string mac_of(const std::string& seed) {
  const auto address = IpAddress::parse(seed);
  unsigned char raw[16] = {};
  if (address) address->bytes(raw);
  const int at = address && address->v6 ? 12 : 0;
  return format("02:42:{:02x}:{:02x}:{:02x}:{:02x}", raw[at], raw[at + 1], raw[at + 2], raw[at + 3]);
}

Result<> forward_packets(const Ground& ground, bool v6) {
  return runtime::in_namespace(ground.name_space, [v6] {
    const std::string path = v6 ? "/proc/sys/net/ipv6/conf/all/forwarding" : "/proc/sys/net/ipv4/ip_forward";
    if (trim(sys::read_file(path, 16).value_or("")) == "1") return;
    const sys::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), "1", 1) != 1) log::debug("switching on forwarding in {}: errno {}", path, errno);
  });
}

std::vector<runtime::FirewallRule> rules_in(const std::string& file) {
  const auto text = sys::read_file(file);
  const auto value = text ? json::parse(*text) : Result<json::Value>(fail(Errc::not_found, ""));
  return value ? runtime::rules_from_json(value->find("rules")) : std::vector<runtime::FirewallRule>();
}

bool is_on(const NetworkRow& network, std::string_view name) {
  const auto value = option(network.options, name);
  return value != "false" && value != "0";
}

Result<> make_link(Netlink& links, const Bridge& bridge, const std::vector<runtime::Route>& routes) {
  for (const auto& subnet : bridge.subnets) {
    const auto prefix = TRY(IpPrefix::parse(subnet.subnet));
    for (const auto& route : routes)
      if (route.to.bits > 0 && route.to.overlaps(prefix))
        return fail(Error(Errc::conflict, "Pool overlaps with other one on this address space").with_hint(format("{} is on the way to {} already", route.to.text(), subnet.subnet)));
  }
  return links.add_bridge({.name = bridge.name, .mac = mac_of(bridge.subnets.empty() ? "" : bridge.subnets[0].gateway), .mtu = bridge.mtu});
}

/// Addresses and rules of a bridge that is there.
Result<> set_up(const Ground& ground, const NetworkRow& network, Netlink& links, Bridge& bridge, const std::string& file) {
  const auto made = TRY(links.find(bridge.name));
  if (!made) return failf(Errc::unavailable, "bridge {} went away while it was made", bridge.name);
  bridge.index = made->index;
  std::vector<runtime::FirewallRule> rules;
  for (const auto& subnet : bridge.subnets) {
    const auto prefix = TRY(IpPrefix::parse(subnet.subnet));
    if (const auto gateway = IpAddress::parse(subnet.gateway)) TRY(links.add_address(bridge.index, {*gateway, prefix.bits}));
    for (auto& rule : runtime::bridge_rules({.bridge = bridge.name, .subnet = prefix.masked().text(), .v6 = prefix.address.v6, .internal = network.internal,
                                             .masquerade = is_on(network, "com.docker.network.bridge.enable_ip_masquerade"),
                                             .between_containers = is_on(network, "com.docker.network.bridge.enable_icc")}))
      if (!std::ranges::count(rules, rule)) rules.push_back(std::move(rule));
    TRY(forward_packets(ground, prefix.address.v6));
    TRY(runtime::prepare_firewall(ground.name_space, prefix.address.v6));
  }
  TRY(links.set_up(bridge.index));
  // Of an earlier bridge that went without us.
  runtime::remove_rules(ground.name_space, rules_in(file));
  TRY(runtime::add_rules(ground.name_space, rules));
  return sys::write_file(file, json::write(json::Object{{"interface", bridge.name}, {"network", network.name}, {"rules", runtime::to_json(rules)}}), 0600);
}

}  // namespace

std::string option(const Pairs& options, std::string_view name) {
  for (const auto& [key, value] : options)
    if (key == name) return value;
  return {};
}

Result<> check_options(const NetworkRow& network) {
  for (const auto& [key, value] : network.options) {
    if (std::ranges::find(kOptionsWeKnow, key) == std::end(kOptionsWeKnow)) return failf(Errc::unsupported, "network option {} is not supported", quoted(key));
    if (key.ends_with("mtu")) {
      const auto mtu = parse_int(value);
      if (!mtu || *mtu < kLeastMtu || *mtu > kMostMtu) return failf(Errc::invalid_argument, "invalid MTU {}: a number from {} to {} is expected", quoted(value), kLeastMtu, kMostMtu);
    }
    if (key.starts_with("com.docker.network.bridge.enable_") && value != "true" && value != "false" && value != "1" && value != "0")
      return failf(Errc::invalid_argument, "invalid value of option {}: {}", key, quoted(value));
    if (key.starts_with("com.docker.network.bridge.gateway_mode") && value != "nat") return failf(Errc::unsupported, "option {} can only be nat", key);
    if (key == "com.docker.network.bridge.name" && (value.empty() || value.size() > 15 || value.find_first_of("/ \t") != value.npos))
      return failf(Errc::invalid_argument, "invalid bridge name {}: at most 15 letters", quoted(value));
    if (key == "com.docker.network.bridge.host_binding_ipv4" && !IpAddress::parse(value)) return failf(Errc::invalid_argument, "invalid value of option {}: {}", key, quoted(value));
  }
  return {};
}

Result<Subnet> default_subnet(const Ground& ground, const std::string& bridge) {
  auto links = TRY(Netlink::open_in(ground.name_space));
  const auto there = TRY(links.find(bridge));
  if (there) {
    const auto addresses = TRY(links.addresses());
    for (const auto& one : addresses)
      if (one.link == there->index && !one.address.address.v6) return Subnet{.subnet = one.address.masked().text(), .gateway = one.address.address.text(), .chosen = true};
  }
  const auto routes = TRY(links.routes());
  for (const char* text : kDefaultPools) {
    const auto pool = TRY(IpPrefix::parse(text));
    const bool taken = std::ranges::any_of(routes, [&](const auto& route) { return route.to.bits > 0 && route.to.overlaps(pool); });
    if (!taken) return Subnet{.subnet = pool.text(), .gateway = pool.host(1).text(), .chosen = true};
  }
  return fail(Error(Errc::resource_exhausted, "no private subnet is free for the default bridge").with_hint("make a network with a subnet of your own (network create --subnet)"));
}

Result<Bridge> ensure_bridge(const Ground& ground, const NetworkRow& network) {
  const std::string folder = ground.folder_of(network), file = folder + kBridgeFile;
  TRY(sys::make_directories(folder, 0700));
  auto links = TRY(Netlink::open_in(ground.name_space));
  auto all = TRY(links.links());
  Bridge bridge{.name = network.interface, .subnets = network.subnets};
  if (is_default_bridge(network)) {
    auto subnet = TRY(default_subnet(ground, bridge.name));
    bridge.subnets = {std::move(subnet)};
  }
  for (auto& subnet : bridge.subnets)
    if (subnet.gateway.empty()) subnet.gateway = TRY(IpPrefix::parse(subnet.subnet)).host(1).text();
  const auto mtu_text = option(network.options, "com.docker.network.driver.mtu");
  auto link = std::ranges::find(all, bridge.name, &runtime::Link::name);
  const bool fresh = link == all.end();
  if (!fresh && sys::exists(file)) {
    bridge.index = link->index;
    bridge.mtu = link->mtu;
    return bridge;
  }
  const auto routes = TRY(links.routes());
  bridge.mtu = mtu_of_way_out(routes, all);
  if (!mtu_text.empty() && !is_default_bridge(network)) bridge.mtu = static_cast<int>(parse_int(mtu_text).value_or(bridge.mtu));
  if (fresh) TRY(make_link(links, bridge, routes));
  auto done = set_up(ground, network, links, bridge, file);
  if (!done && fresh)
    if (auto removed = links.remove_link(bridge.name); !removed) log::debug("{}", removed.error().text());
  TRY(std::move(done));
  return bridge;
}

void remove_unused_bridge(const Ground& ground, const std::string& folder) {
  if (folder == ground.folder || is_in_use(folder)) return;
  forget_dead(ground, folder);
  const std::string file = folder + kBridgeFile;
  if (const auto text = sys::read_file(file)) {
    const auto value = json::parse(*text);
    const std::string name = value ? value->string_or("interface") : "";
    auto links = runtime::Netlink::open_in(ground.name_space);
    if (links && !name.empty())
      if (auto removed = links->remove_link(name); !removed) log::debug("{}", removed.error().text());
    runtime::remove_rules(ground.name_space, rules_in(file));
    ::unlink(file.c_str());
  }
  ::rmdir(folder.c_str());
}

}  // namespace mica::container
