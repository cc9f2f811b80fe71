/// Networks that users made, and the three that always are (bridge, host, none: in no row).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/time.h"
#include "container/definition.h"
#include "db/db.h"

namespace mica::container {

struct Subnet {
  std::string subnet;                       ///< "172.18.0.0/16" or "fd00::/64"
  std::string gateway;                      ///< "": the first address
  std::string ip_range;                     ///< "": all of it
  Pairs auxiliary;                          ///< name and address of those that are never given to containers
  bool chosen = false;                      ///< by us, not by the user: containers cannot ask for an address in it
  bool operator==(const Subnet&) const = default;
};

struct NetworkRow {
  std::string id;                           ///< 64 hex digits
  std::string name;
  std::string driver = "bridge";            ///< bridge, macvlan, ipvlan; host and none for the built-in ones
  Timestamp created;
  bool internal = false, attachable = false, ipv4 = true, ipv6 = false;
  std::vector<Subnet> subnets;
  Pairs options, labels, ipam_options;
  std::string ipam_driver = "default";
  std::string interface;                    ///< name of the bridge on the machine
  bool operator==(const NetworkRow&) const = default;
};
/// The built-in one that containers join when they say nothing. Its bridge is the machine's, shared by all stores and by builds; its subnet is chosen when that bridge is made.
bool is_default_bridge(const NetworkRow& network);
bool is_predefined(const NetworkRow& network);           ///< bridge, host, none
NetworkRow none_network();

class NetworkTable {
 public:
  explicit NetworkTable(Guarded<db::Database>& database) : database_(database) {}
  Result<> insert(const NetworkRow& row);                            ///< errors: conflict ("network with name X already exists")
  /// By name, full id or unambiguous id prefix; the built-in ones too. Errors: not_found ("network X not found"), conflict (ambiguous).
  Result<NetworkRow> resolve(std::string_view text);
  Result<std::vector<NetworkRow>> list();                            ///< with the built-in ones, by name
  Result<> remove(const std::string& id);

 private:
  Guarded<db::Database>& database_;
};

extern const std::string_view kNetworkSchemaSql;     ///< table network
}  // namespace mica::container
