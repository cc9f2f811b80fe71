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
  Pairs auxiliary;                          ///< addresses that are never given to containers
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
};

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

extern const std::string_view kNetworkSchemaSql;     ///< tables network, network_address
}  // namespace mica::container
