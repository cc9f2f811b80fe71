#include "container/network_records.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "json/json.h"
#include "runtime/netlink.h"

namespace mica::container {

namespace {

using runtime::IpAddress;
using runtime::IpPrefix;

constexpr std::string_view kSuffix = ".json";

json::Value to_json(const EndpointRecord& record) {
  json::Array ports;
  for (const auto& port : record.ports) ports.emplace_back(json::Object{{"protocol", port.protocol}, {"address", port.address}, {"port", port.port}});
  return json::Object{{"container", record.container}, {"name", record.name}, {"network", record.network}, {"network_name", record.network_name}, {"link", record.link},
                      {"ipv4", record.ipv4}, {"ipv6", record.ipv6}, {"names", json::from(record.names)}, {"rules", runtime::to_json(record.rules)}, {"ports", std::move(ports)}};
}

std::optional<EndpointRecord> read_record(const std::string& path) {
  const auto text = sys::read_file(path);
  const auto value = text ? json::parse(*text) : Result<json::Value>(fail(Errc::not_found, ""));
  if (!value) return std::nullopt;
  EndpointRecord out{.container = value->string_or("container"), .name = value->string_or("name"), .network = value->string_or("network"),
                     .network_name = value->string_or("network_name"), .link = value->string_or("link"), .ipv4 = value->string_or("ipv4"), .ipv6 = value->string_or("ipv6"),
                     .names = value->strings("names"), .rules = runtime::rules_from_json(value->find("rules")), .ports = {}};
  if (const auto* ports = value->find("ports"); ports && ports->is_array())
    for (const auto& port : ports->as_array()) out.ports.push_back({port.string_or("protocol"), port.string_or("address"), static_cast<int>(port.int_or("port"))});
  return out;
}

void each_name(const std::string& folder, const std::function<void(std::string_view)>& each) {
  DIR* directory = ::opendir(folder.c_str());
  if (!directory) return;
  while (const auto* entry = ::readdir(directory)) each(entry->d_name);
  ::closedir(directory);
}

/// Undoes what a monitor would have undone at its end.
void undo(const Ground& ground, const EndpointRecord& record) {
  log::debug("clearing up the network of container {}", record.container);
  if (!record.link.empty())
    if (auto links = runtime::Netlink::open_in(ground.name_space))
      if (auto removed = links->remove_link(record.link); !removed) log::debug("{}", removed.error().text());
  if (!record.rules.empty()) runtime::remove_rules(ground.name_space, record.rules);
}

void forget(const Ground& ground, const std::string& folder, const std::string& address) {
  const std::string path = folder + "/" + address + std::string(kSuffix);
  if (const auto record = read_record(path)) {
    undo(ground, *record);
    ::unlink(path.c_str());
  }
}

struct Pool {
  IpPrefix all, range;
  std::vector<IpAddress> kept;                           ///< never given
};

Result<Pool> pool_of(const Subnet& subnet) {
  const auto all = TRY(IpPrefix::parse(subnet.subnet));
  Pool pool{.all = all.masked(), .range = all.masked(), .kept = {}};
  if (!subnet.ip_range.empty()) pool.range = TRY(IpPrefix::parse(subnet.ip_range));
  const auto keep = [&](const std::string& text) {
    if (const auto address = IpAddress::parse(text)) pool.kept.push_back(*address);
  };
  pool.kept.push_back(pool.all.address);
  if (!pool.all.address.v6 && pool.all.bits < 31) pool.kept.push_back(pool.all.last());
  if (subnet.gateway.empty()) pool.kept.push_back(pool.all.host(1));
  else keep(subnet.gateway);
  for (const auto& [name, address] : subnet.auxiliary) keep(address);
  return pool;
}

}  // namespace

Result<> Lease::write(const EndpointRecord& record) const {
  const std::string path = folder_ + "/" + (ipv4_.empty() ? ipv6_ : ipv4_), temporary = path + ".new";
  TRY(sys::write_file(temporary, json::write(to_json(record)), 0600));
  return sys::rename(temporary, path + std::string(kSuffix));
}

void Lease::release() {
  for (const auto& address : {ipv4_, ipv6_}) {
    if (address.empty()) continue;
    ::unlink((folder_ + "/" + address + std::string(kSuffix)).c_str());
    ::unlink((folder_ + "/" + address).c_str());
  }
  locks_.clear();
  ipv4_.clear();
  ipv6_.clear();
}

Result<bool> Lease::take(const Ground& ground, const IpAddress& address) {
  const std::string text = address.text();
  auto lock = sys::FileLock::try_acquire(folder_ + "/" + text, sys::LockMode::exclusive);
  if (!lock && lock.error().code() == Errc::conflict) return false;
  if (!lock) return fail(std::move(lock).error());
  forget(ground, folder_, text);
  locks_.push_back(std::move(*lock));
  (address.v6 ? ipv6_ : ipv4_) = text;
  return true;
}

Result<Lease> lease_addresses(const Ground& ground, const NetworkRow& network, const std::vector<Subnet>& subnets, const std::string& ipv4, const std::string& ipv6) {
  Lease lease;
  lease.folder_ = ground.folder_of(network);
  for (const bool v6 : {false, true}) {
    const std::string& wanted = v6 ? ipv6 : ipv4;
    const auto asked = IpAddress::parse(wanted);
    if (!wanted.empty() && (!asked || asked->v6 != v6)) return failf(Errc::invalid_argument, "invalid {} address: {}", v6 ? "IPv6" : "IPv4", wanted);
    bool found = false, any = false;
    for (const auto& subnet : subnets) {
      const auto pool = TRY(pool_of(subnet));
      if (pool.all.address.v6 != v6 || found) continue;
      any = true;
      if (asked) {
        if (!pool.all.contains(*asked)) continue;
        found = !std::ranges::count(pool.kept, *asked);
        if (found) found = TRY(lease.take(ground, *asked));
        if (!found) return fail(Errc::conflict, "Address already in use");
        continue;
      }
      const auto last = pool.range.last();
      for (auto address = pool.range.masked().address; !found && address.value <= last.value; ++address.value) {
        if (std::ranges::count(pool.kept, address)) continue;
        found = TRY(lease.take(ground, address));
        if (address.value == last.value) break;
      }
    }
    if (found) continue;
    if (asked) return failf(Errc::invalid_argument, "invalid config for network {}: invalid endpoint settings:\nno configured subnet contains the IP address {}", network.name, wanted);
    if (any) return fail(Error(Errc::resource_exhausted, format("no available IPv{} addresses on this network's address pools: {} ({})", v6 ? 6 : 4, network.name, network.id))
                             .with_hint("a network with a larger subnet holds more containers"));
  }
  return lease;
}

bool is_leased(const std::string& folder, const std::string& address) {
  const sys::Fd file(::open((folder + "/" + address).c_str(), O_RDONLY | O_CLOEXEC));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::vector<EndpointRecord> live_records(const std::string& folder) {
  std::vector<EndpointRecord> out;
  each_name(folder, [&](std::string_view name) {
    if (!name.ends_with(kSuffix)) return;
    const std::string address(name.substr(0, name.size() - kSuffix.size()));
    if (!IpAddress::parse(address) || !is_leased(folder, address)) return;
    if (auto record = read_record(folder + "/" + std::string(name))) out.push_back(std::move(*record));
  });
  return out;
}

bool is_in_use(const std::string& folder) {
  bool used = false;
  each_name(folder, [&](std::string_view name) { used = used || (IpAddress::parse(name) && is_leased(folder, std::string(name))); });
  return used;
}

void forget_dead(const Ground& ground, const std::string& folder) {
  std::vector<std::string> dead;
  each_name(folder, [&](std::string_view name) {
    if (IpAddress::parse(name) && !is_leased(folder, std::string(name))) dead.emplace_back(name);
  });
  for (const auto& address : dead) {
    forget(ground, folder, address);
    ::unlink((folder + "/" + address).c_str());
  }
}

}  // namespace mica::container
