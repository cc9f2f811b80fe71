/// Which subnet a network gets: none that another network of this machine has, whichever store it is in, and none that the machine reaches otherwise.
///
/// File `subnets` of the ground: {"subnets": [{"subnet": "172.18.0.0/16", "store": "/var/lib/mica", "network": ID}]}. Entries of stores that are gone do not count.
#pragma once
#include <string>

#include "container/network_ground.h"

namespace mica::container {

/// As people give them: gateways, ranges and extra addresses belong to the subnet that has them. Errors: invalid_argument ("no matching subnet for gateway X").
Result<std::vector<Subnet>> gather_subnets(const std::vector<std::string>& subnets, const std::vector<std::string>& ranges, const std::vector<std::string>& gateways, const Pairs& extra);

/// Checks the subnets of `network`, or chooses one of each family that it wants, and remembers them. `others` are the networks of this store. The ground must be locked.
/// Errors: conflict ("invalid pool request: Pool overlaps with other one on this address space"), resource_exhausted, invalid_argument ("invalid network config:\n...").
Result<> claim_subnets(const Ground& ground, const std::string& state_root, const std::vector<NetworkRow>& others, NetworkRow& network);
/// The ground must be locked.
Result<> release_subnets(const Ground& ground, const std::string& network_id);

}  // namespace mica::container
