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

/// A network namespace with a way out (bridge through netavark as root, pasta without). Torn down when this dies; the namespace
/// itself is only visible in our private mount namespace, so nothing is left after kill -9 but the shared bridge.
class BuildNetwork {
 public:
  virtual ~BuildNetwork() = default;
  virtual const std::string& namespace_path() const = 0;
  /// Addresses for /etc/resolv.conf inside.
  virtual std::vector<std::string> nameservers() const = 0;
  virtual std::string gateway() const = 0;                 ///< for host-gateway; the address under which the host is reached
};
/// `temporary`: folder for the namespace's mount point. Errors: unsupported with a hint (netavark, iptables or pasta missing: use
/// --network=host).
Result<std::unique_ptr<BuildNetwork>> make_build_network(const std::string& state_folder, const std::string& temporary, task::Cancel cancel);

/// Content of /etc/resolv.conf for a container: the host's search domains and options with `nameservers`; when there are none,
/// with the host's servers that are not loopback ones, else those behind systemd's stub resolver, else public ones. On the host's
/// network without `nameservers` the file is the host's.
Result<std::string> resolv_conf(const std::vector<std::string>& nameservers, bool host_network);
/// The same as a function of the host's file and of systemd's file with the real servers (either may be empty).
std::string container_resolv_conf(std::string_view host, std::string_view behind_stub, const std::vector<std::string>& nameservers,
                                  bool host_network);
/// /etc/hosts: localhost pairs (with `hostname` appended to the localhost line when `build`), then extra "name:ip" lines.
std::string hosts_file(const std::string& hostname, bool build, const std::vector<std::pair<std::string, std::string>>& extra);

}  // namespace mica::runtime
