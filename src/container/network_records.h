/// Who has which address: a file a lease, locked by the monitor that has it, and beside it what must be undone when that monitor is gone.
///
/// The lock is the truth: the kernel lets go of it with the process. A record whose lease nobody holds is of a dead one, and whoever takes the address next, or sweeps,
/// undoes it first.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "container/network_ground.h"
#include "runtime/firewall.h"
#include "runtime/ip.h"

namespace mica::container {

struct RecordedPort {
  std::string protocol, address;
  int port = 0;
};

struct EndpointRecord {
  std::string container, name;                           ///< id and name
  std::string network, network_name;                     ///< id and name
  std::string link;                                      ///< on the machine's side; "" without one
  std::string ipv4, ipv6;
  std::vector<std::string> names;                        ///< under which other containers of the network find it
  std::vector<runtime::FirewallRule> rules;              ///< of its published ports
  std::vector<RecordedPort> ports;
};

/// Up to two addresses that are ours as long as this lives.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept = default;
  const std::string& ipv4() const { return ipv4_; }
  const std::string& ipv6() const { return ipv6_; }
  bool empty() const { return locks_.empty(); }
  /// Replaces what is known about us. Written whole.
  Result<> write(const EndpointRecord& record) const;
  /// Gives the addresses back; the ground must be locked. (A process that just dies leaves its files, which are found to be dead.)
  void release();

 private:
  friend Result<Lease> lease_addresses(const Ground& ground, const NetworkRow& network, const std::vector<Subnet>& subnets, const std::string& ipv4, const std::string& ipv6);
  Result<bool> take(const Ground& ground, const runtime::IpAddress& address);
  std::string folder_, ipv4_, ipv6_;
  std::vector<sys::FileLock> locks_;
};

/// One address of each family that `subnets` has: the one asked for, or the lowest that is free. The ground must be locked.
/// Errors: conflict ("Address already in use"), resource_exhausted, invalid_argument (not in a subnet), as Docker words them.
Result<Lease> lease_addresses(const Ground& ground, const NetworkRow& network, const std::vector<Subnet>& subnets, const std::string& ipv4, const std::string& ipv6);

/// Of those who live, in one network's folder.
std::vector<EndpointRecord> live_records(const std::string& folder);
/// True when somebody holds an address in it.
bool is_in_use(const std::string& folder);
/// True when somebody holds the lease of `address`.
bool is_leased(const std::string& folder, const std::string& address);
/// Takes down what dead ones left in a network's folder: interfaces, rules, files. The ground must be locked.
void forget_dead(const Ground& ground, const std::string& folder);

}  // namespace mica::container
