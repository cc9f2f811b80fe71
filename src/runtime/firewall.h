/// Rules of iptables and ip6tables, changed by one run of iptables-restore for any number of them. Both kinds of iptables (legacy, nf_tables) understand it, and
/// what other programs on the machine set there (Docker's FORWARD policy, ufw, firewalld) is where our exceptions must be.
#pragma once
#include <string>
#include <vector>

#include "json/json.h"
#include "sys/fd.h"

namespace mica::runtime {

struct FirewallRule {
  bool v6 = false;
  bool first = false;                                    ///< at the head of its chain; else at its end
  std::string table, chain, rule;                        ///< "nat", "MICA-OUT", "-s 172.18.0.0/16 -j MASQUERADE"
  bool operator==(const FirewallRule&) const = default;
};
json::Value to_json(const std::vector<FirewallRule>& rules);
std::vector<FirewallRule> rules_from_json(const json::Value* value);

/// Chains MICA-FORWARD, MICA-ISOLATE, MICA-ISOLATE-TO and MICA-INTO (filter), MICA-PORTS and MICA-OUT (nat), and the jumps to them, unless they are there.
/// `name_space`: empty for this one. Errors: unsupported with a hint (no iptables), unavailable (its own words).
Result<> prepare_firewall(const sys::Fd& name_space, bool v6);
Result<> add_rules(const sys::Fd& name_space, const std::vector<FirewallRule>& rules);
/// Rules that are missing are no error.
void remove_rules(const sys::Fd& name_space, const std::vector<FirewallRule>& rules);

/// What a bridge needs: a way out behind the machine's address, no way to other bridges, nothing from outside but what is published.
struct BridgeRules {
  std::string bridge;
  std::string subnet;
  bool v6 = false, internal = false, masquerade = true, between_containers = true;
};
std::vector<FirewallRule> bridge_rules(const BridgeRules& bridge);
/// What a published port needs. `host_address` "": every address of the machine.
struct PortRules {
  std::string bridge, protocol, host_address, address;
  int host_port = 0, port = 0;
  bool v6 = false;
};
std::vector<FirewallRule> port_rules(const PortRules& port);

}  // namespace mica::runtime
