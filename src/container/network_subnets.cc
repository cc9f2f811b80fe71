#include "container/network_subnets.h"

#include <algorithm>
#include <random>

#include "base/format.h"
#include "base/text.h"
#include "json/json.h"
#include "runtime/netlink.h"

namespace mica::container {

namespace {

using runtime::IpAddress;
using runtime::IpPrefix;

constexpr const char* kFile = "/subnets";
constexpr int kFirstB = 18, kLastB = 31, kStepC = 16, kBitsC = 20, kUlaBits = 64, kUlaTries = 16;   // Docker's pools: 172.17 is its own bridge's

struct Claim {
  std::string subnet, store, network;
};

std::vector<Claim> read_claims(const Ground& ground) {
  std::vector<Claim> out;
  const auto text = sys::read_file(ground.folder + kFile);
  const auto value = text ? json::parse(*text) : Result<json::Value>(fail(Errc::not_found, ""));
  const json::Value* list = value ? value->find("subnets") : nullptr;
  if (!list || !list->is_array()) return out;
  for (const auto& one : list->as_array()) {
    Claim claim{one.string_or("subnet"), one.string_or("store"), one.string_or("network")};
    if (sys::exists(claim.store)) out.push_back(std::move(claim));
  }
  return out;
}

Result<> write_claims(const Ground& ground, const std::vector<Claim>& claims) {
  json::Array list;
  for (const auto& one : claims) list.emplace_back(json::Object{{"subnet", one.subnet}, {"store", one.store}, {"network", one.network}});
  const std::string file = ground.folder + kFile, fresh = file + ".new";
  TRY(sys::write_file(fresh, json::write(json::Object{{"subnets", std::move(list)}}), 0600));
  return sys::rename(fresh, file);
}

Result<IpPrefix> check(const Subnet& subnet) {
  const auto wrong = [&](std::string_view why) { return failf(Errc::invalid_argument, "invalid network config:\ninvalid subnet {}: {}", subnet.subnet, why); };
  const auto prefix = IpPrefix::parse(subnet.subnet);
  if (!prefix) return wrong("invalid CIDR block notation");
  if (prefix->masked() != *prefix) return wrong(format("it should be {}", prefix->masked().text()));
  const auto beyond = [&](const std::string& text, std::string_view what) { return failf(Errc::invalid_argument, "invalid network config:\ninvalid {} {}: it is not in subnet {}", what, text, subnet.subnet); };
  if (!subnet.gateway.empty()) {
    const auto gateway = IpAddress::parse(subnet.gateway);
    if (!gateway || !prefix->contains(*gateway)) return beyond(subnet.gateway, "gateway");
  }
  if (!subnet.ip_range.empty()) {
    const auto range = IpPrefix::parse(subnet.ip_range);
    if (!range || !prefix->contains(range->address) || range->bits < prefix->bits) return beyond(subnet.ip_range, "ip-range");
  }
  for (const auto& [name, text] : subnet.auxiliary) {
    const auto address = IpAddress::parse(text);
    if (!address || !prefix->contains(*address)) return beyond(text, "auxiliary address");
  }
  return *prefix;
}

std::vector<IpPrefix> v4_pools() {
  std::vector<IpPrefix> out;
  const auto add = [&](const std::string& text) {
    if (auto pool = IpPrefix::parse(text)) out.push_back(*pool);
  };
  for (int b = kFirstB; b <= kLastB; ++b) add(format("172.{}.0.0/16", b));
  for (int c = 0; c < 256; c += kStepC) add(format("192.168.{}.0/{}", c, kBitsC));
  return out;
}

IpPrefix random_ula() {
  std::random_device random;
  const auto word = [&] { return random() & 0xffff; };
  return IpPrefix::parse(format("fd{:02x}:{:x}:{:x}::/{}", word() & 0xff, word(), word(), kUlaBits)).value_or(IpPrefix{});
}

}  // namespace

Result<std::vector<Subnet>> gather_subnets(const std::vector<std::string>& subnets, const std::vector<std::string>& ranges, const std::vector<std::string>& gateways, const Pairs& extra) {
  std::vector<Subnet> out;
  std::vector<IpPrefix> prefixes;
  for (const auto& text : subnets) {
    out.push_back({.subnet = text});
    prefixes.push_back(IpPrefix::parse(text).value_or(IpPrefix{}));
  }
  if (out.empty() && (!ranges.empty() || !gateways.empty())) return fail(Errc::invalid_argument, "every ip-range or gateway must have a corresponding subnet");
  if (out.empty() && !extra.empty()) return fail(Errc::invalid_argument, "every auxiliary address must have a corresponding subnet");
  const auto owner = [&](const std::string& text) -> Subnet* {
    const auto address = IpAddress::parse(text.substr(0, text.find('/')));
    for (std::size_t i = 0; address && i < prefixes.size(); ++i)
      if (prefixes[i].contains(*address)) return &out[i];
    return nullptr;
  };
  for (const auto& text : ranges) {
    auto* subnet = owner(text);
    if (!subnet) return failf(Errc::invalid_argument, "no matching subnet for range {}", text);
    if (!subnet->ip_range.empty()) return failf(Errc::invalid_argument, "cannot configure multiple ranges ({}, {}) on the same subnet ({})", text, subnet->ip_range, subnet->subnet);
    subnet->ip_range = text;
  }
  for (const auto& text : gateways) {
    auto* subnet = owner(text);
    if (!subnet) return failf(Errc::invalid_argument, "no matching subnet for gateway {}", text);
    if (!subnet->gateway.empty()) return failf(Errc::invalid_argument, "cannot configure multiple gateways ({}, {}) for the same subnet ({})", text, subnet->gateway, subnet->subnet);
    subnet->gateway = text;
  }
  for (const auto& [name, address] : extra) {
    auto* subnet = owner(address);
    if (!subnet) return failf(Errc::invalid_argument, "no matching subnet for aux-address {}", address);
    subnet->auxiliary.emplace_back(name, address);
  }
  return out;
}

Result<> claim_subnets(const Ground& ground, const std::string& state_root, const std::vector<NetworkRow>& others, NetworkRow& network) {
  auto claims = read_claims(ground);
  std::vector<IpPrefix> taken;
  for (const auto& claim : claims)
    if (auto prefix = IpPrefix::parse(claim.subnet)) taken.push_back(*prefix);
  for (const auto& other : others)
    for (const auto& subnet : other.subnets)
      if (auto prefix = IpPrefix::parse(subnet.subnet)) taken.push_back(*prefix);
  auto links = TRY(runtime::Netlink::open_in(ground.name_space));
  const auto routes = TRY(links.routes());
  for (const auto& route : routes)
    // Networks on an interface of the machine's are meant to be on its way.
    if (route.to.bits > 0 && network.driver == "bridge" && !(route.to.address.v6 && route.to.bits <= 10)) taken.push_back(route.to);
  const auto is_free = [&](const IpPrefix& prefix) { return std::ranges::none_of(taken, [&](const IpPrefix& other) { return other.overlaps(prefix); }); };

  bool has_v4 = false, has_v6 = false;
  for (auto& subnet : network.subnets) {
    const auto prefix = TRY(check(subnet));
    if (!is_free(prefix)) return fail(Errc::conflict, "invalid pool request: Pool overlaps with other one on this address space");
    (prefix.address.v6 ? has_v6 : has_v4) = true;
    taken.push_back(prefix);
  }
  if (network.ipv4 && !has_v4) {
    const auto pools = v4_pools();
    const auto pool = std::ranges::find_if(pools, is_free);
    if (pool == pools.end())
      return fail(Error(Errc::resource_exhausted, "all predefined address pools have been fully subnetted").with_hint("remove networks that nobody uses (network prune), or give the network a --subnet"));
    network.subnets.insert(network.subnets.begin(), {.subnet = pool->text(), .chosen = true});
  }
  if (network.ipv6 && !has_v6) {
    IpPrefix pool = random_ula();
    for (int i = 0; i < kUlaTries && !is_free(pool); ++i) pool = random_ula();
    network.subnets.push_back({.subnet = pool.text(), .chosen = true});
  }
  for (auto& subnet : network.subnets) {
    if (subnet.gateway.empty()) subnet.gateway = TRY(IpPrefix::parse(subnet.subnet)).host(1).text();
    claims.push_back({subnet.subnet, state_root, network.id});
  }
  return write_claims(ground, claims);
}

Result<> release_subnets(const Ground& ground, const std::string& network_id) {
  auto claims = read_claims(ground);
  std::erase_if(claims, [&](const Claim& claim) { return claim.network == network_id; });
  return write_claims(ground, claims);
}

}  // namespace mica::container
