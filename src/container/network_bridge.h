/// The bridge of a network on the ground: made with its first container, gone with its last.
#pragma once
#include <string>
#include <vector>

#include "container/network_records.h"

namespace mica::container {

struct Bridge {
  std::string name;                                      ///< of the interface
  int index = 0;
  int mtu = 0;
  std::vector<Subnet> subnets;                           ///< with their gateways filled in
};

/// Makes the bridge with its addresses and firewall rules unless it is there. The ground must be locked.
/// Errors: conflict ("Pool overlaps with other one on this address space": with a route of the machine), those of the firewall.
Result<Bridge> ensure_bridge(const Ground& ground, const NetworkRow& network);
/// Removes it when nobody uses it any more; the default bridge stays with the machine, as its address is chosen only once. The ground must be locked.
void remove_unused_bridge(const Ground& ground, const std::string& folder);
/// Subnet and gateway of the default bridge: those it has, or would get.
Result<Subnet> default_subnet(const Ground& ground, const std::string& bridge);
/// What an endpoint is given out of `network.options`, in Docker's names; "" when it is not there.
std::string option(const Pairs& options, std::string_view name);
/// Errors: invalid_argument, unsupported: naming the option.
Result<> check_options(const NetworkRow& network);

}  // namespace mica::container
