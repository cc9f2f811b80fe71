/// Network namespaces for steps and simple containers: one for a build, shared by its steps.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "task/task.h"

namespace mica::runtime {

/// A network namespace with a way out: a bridge set up by netavark as root, pasta without. The namespace dies with this object; it is
/// only visible in our private mount namespace, so it is gone after kill -9 too. What stays on the machine is the bridge (`mica0`)
/// with its firewall rules, which all builds share, as docker0 does: to take it down takes longer than to set everything up.
class BuildNetwork {
 public:
  virtual ~BuildNetwork() = default;
  virtual const std::string& namespace_path() const = 0;
  /// Addresses for /etc/resolv.conf inside; empty: what resolv_conf() takes from the host's is right.
  virtual std::vector<std::string> nameservers() const = 0;
  virtual std::string gateway() const = 0;                 ///< for host-gateway; the address under which the host is reached
  virtual std::string address() const = 0;                 ///< the namespace's own, for /etc/hosts; empty when unknown
};
struct NetworkOptions {
  /// Without root: let `gateway()` reach what listens on the host's loopback addresses, the only way to the host there. Off by default:
  /// steps have no business with services that are for this machine only. (On the bridge the host always answers on gateway().)
  bool reach_host = false;
};
/// `state_folder`: for locks when the machine has no /run/mica; `temporary`: folder for the namespace's mount point. Takes some 40 ms as
/// root and 20 ms without: start it beside other work. May be used from any thread afterwards.
/// Errors: unsupported with a hint (netavark, iptables, pasta or /dev/net/tun missing: use --network=host), unavailable (the program's
/// own words), resource_exhausted (no subnet or address is free), cancelled.
Result<std::unique_ptr<BuildNetwork>> make_build_network(const std::string& state_folder, const std::string& temporary, task::Cancel cancel,
                                                         const NetworkOptions& options = {});

/// Content of /etc/resolv.conf for a container: the host's search domains and options with `nameservers`; when there are none,
/// with the host's servers that are not loopback ones, else those behind systemd's stub resolver, else public ones. IPv6 servers are
/// left out where there are others, since the bridge has IPv4 only. On the host's network without `nameservers` the file is the host's.
Result<std::string> resolv_conf(const std::vector<std::string>& nameservers, bool host_network);
/// The same as a function of the host's file and of systemd's file with the real servers (either may be empty).
std::string container_resolv_conf(std::string_view host, std::string_view behind_stub, const std::vector<std::string>& nameservers,
                                  bool host_network);
/// The host's or its stub's nameservers that another network namespace can reach; none when all are loopback ones.
std::vector<std::string> reachable_nameservers(std::string_view host, std::string_view behind_stub);
/// The same for this machine's files.
std::vector<std::string> reachable_nameservers();
using HostNames = std::vector<std::pair<std::string, std::string>>;   ///< name and address
/// The address that stands for the machine itself (--add-host NAME:host-gateway).
inline constexpr std::string_view kHostGateway = "host-gateway";
/// `hosts` with gateway() in place of kHostGateway; without a network of its own (null) the loopback address.
HostNames with_gateway(HostNames hosts, const BuildNetwork* network);
/// /etc/hosts of a build's step: localhost, which `hostname` is a name of too, then `extra`.
std::string step_hosts_file(const std::string& hostname, const HostNames& extra);
/// /etc/hosts of a container: localhost, `extra`, then `address` with `names` ("web.example.org web"), unless it is empty.
std::string container_hosts_file(const HostNames& extra, std::string_view address, std::string_view names);
/// The same on the host's network: `host`, its file, then `extra`.
std::string host_hosts_file(std::string_view host, const HostNames& extra);

}  // namespace mica::runtime
