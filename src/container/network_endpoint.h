/// One container's place in one network: its addresses, its interface, its record.
#pragma once
#include <string>
#include <vector>

#include "container/container_network.h"
#include "container/network_bridge.h"
#include "container/network_records.h"

namespace mica::container {

struct Joined {
  NetworkRow network;
  Endpoint endpoint;
  std::string id;                                        ///< 64 random hex digits
  std::string interface;                                 ///< in the container: "eth0"
  std::string bridge;                                    ///< the ground's side of it; "" for macvlan and ipvlan
  std::string mac, ipv4, ipv6, gateway, gateway6;        ///< gateways: "" when there is no way out
  int bits = 0, bits6 = 0;
  std::vector<std::string> dns_names;
  std::vector<runtime::FirewallRule> own_rules;          ///< of the record's, those that are not of ports
  Lease lease;
  EndpointRecord record;
};

/// Makes the bridge when needed, leases addresses and puts an interface named `interface` into the namespace `inside`. The ground must be locked.
/// Errors: see join_networks.
Result<Joined> join_network(const Ground& ground, const NetworkRequest& request, const NetworkRow& network, const Endpoint& endpoint, const sys::Fd& inside,
                            const std::string& interface);
/// The other way, in any state. The ground must be locked.
void leave_network(const Ground& ground, Joined& joined);
/// Default routes inside go through the endpoint that Docker would take: the highest priority, then the first name; internal networks have no way out. Returns its
/// index, or -1.
Result<int> choose_default_route(const sys::Fd& inside, const std::vector<Joined>& joined);
int default_endpoint(const std::vector<Joined>& joined);

}  // namespace mica::container
