/// The network of one running container: a namespace with its endpoints, published ports, and names.
///
/// Owned by the container's monitor from before its first process until after its last. As root: bridges by netavark in the machine's own namespace.
/// Without root: the same in one namespace that all of a user's containers share, which pasta joins to the outside, and ports by our own proxy.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "container/definition.h"
#include "container/network_table.h"
#include "json/json.h"
#include "task/task.h"

namespace mica::container {

struct NetworkRequest {
  std::string state_root;                               ///< the store's folder: locks and netavark's state of this store live below it or in /run/mica
  std::string folder;                                   ///< the container's own folder: temporary files, the namespace's mount point
  std::string id, name, hostname, domainname;
  std::vector<std::pair<NetworkRow, Endpoint>> networks;   ///< in the order of joining; empty: only loopback (none)
  std::vector<PortBinding> ports;                       ///< with publish_all already turned into bindings
  std::vector<std::string> exposed;                     ///< "80/tcp": shown, no more
  std::vector<std::string> dns, dns_options, dns_search, extra_hosts;   ///< extra_hosts: "name:address" or "name:host-gateway"
};

class ContainerNetwork {
 public:
  virtual ~ContainerNetwork() = default;                ///< tears down: endpoints, port forwards, the namespace; never fails loudly
  virtual const std::string& namespace_path() const = 0;
  /// Docker's NetworkSettings: Ports, Networks{NAME: {IPAddress, Gateway, MacAddress, ...}}, SandboxID, ...
  virtual json::Value settings() const = 0;
  virtual std::string ports_column() const = 0;         ///< "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
  virtual std::string resolv_conf() const = 0;          ///< contents for /etc/resolv.conf and /etc/hosts
  virtual std::string hosts() const = 0;
  /// `network connect` and `disconnect` while it runs. Errors: conflict (already there), not_found.
  virtual Result<> connect(const NetworkRow& network, const Endpoint& endpoint, const task::Cancel& cancel) = 0;
  virtual Result<> disconnect(const NetworkRow& network, const task::Cancel& cancel) = 0;
  /// Others find it by its new name from now on.
  virtual Result<> rename(const std::string& name) = 0;
};

/// Errors: unsupported with a hint (netavark, iptables, aardvark-dns, pasta missing), conflict (a port or an address in use: says which and,
/// when it is one of ours, by whom), resource_exhausted (no address free), unavailable (netavark's own words), cancelled.
Result<std::unique_ptr<ContainerNetwork>> join_networks(const NetworkRequest& request, const task::Cancel& cancel);

}  // namespace mica::container
