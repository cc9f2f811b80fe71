/// The network namespace in which bridges are, and the folder where those who use it agree on what is whose.
///
/// As root it is the machine's namespace with /run/mica/network: all stores share the machine. Without root it is one of the user's own
/// (sys/shared_namespace.h), with a folder beside that; pasta joins it to the outside when the first container needs it.
///
///   lock                   held while bridges, addresses or the shared namespace change
///   ADDRESS                of the default bridge, flocked as long as somebody has that address (builds too); what else is beside it is in network_records.h
///   ADDRESS.json           who that is
///   bridge.json            that the bridge is made, with its firewall rules
///   NETWORK/...            the same for a network of the user: the first 12 digits of its id
///   subnets                JSON: which subnets networks were given, and by which store
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "container/network_table.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "task/task.h"

namespace mica::container {

struct Ground {
  std::string folder;
  bool shared = false;                                   ///< not the machine's namespace
  sys::Fd name_space;                                    ///< empty: this process's own
  std::string host_gateway;                              ///< shared: where the machine's loopback addresses answer, for those who may (docs: --add-host X:host-gateway)
  std::string folder_of(const NetworkRow& network) const { return is_default_bridge(network) ? folder : folder + "/" + network.id.substr(0, 12); }
};

/// The folder, made when it is missing; no namespace.
Result<std::string> network_folder(const std::string& state_root);
Result<sys::FileLock> lock_ground(const std::string& folder, const task::Cancel& cancel);
/// With the lock held. `make`: see to it that the shared namespace is joined to the outside.
Result<Ground> open_ground(const std::string& folder, bool make);

}  // namespace mica::container
