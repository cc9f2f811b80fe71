/// The published ports of one container: a socket of the machine each, the firewall's short cut, and the proxy behind both.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "container/network_endpoint.h"
#include "container/port_proxy.h"

namespace mica::container {

struct OpenPort {
  PortBinding binding;                                   ///< with its port on the machine, and host_ip an address
  sys::Fd socket;                                        ///< until the proxy has it
  std::unique_ptr<PortProxy> proxy;
};

class PublishedPorts {
 public:
  /// The ground must be locked. Errors: conflict ("Bind for 0.0.0.0:80 failed: port is already allocated", with a hint who has it), permission_denied, unavailable.
  static Result<PublishedPorts> open(const Ground& ground, const std::vector<PortBinding>& wanted);
  PublishedPorts() = default;
  PublishedPorts(PublishedPorts&&) noexcept = default;
  PublishedPorts& operator=(PublishedPorts&&) noexcept = default;

  /// Sends what arrives to `joined`, whose record gets the rules. Again with another endpoint: moves them there. The ground must be locked.
  Result<> lead_to(const Ground& ground, EventLoop& loop, Joined& joined);
  /// Takes the rules away; the sockets stay.
  void lead_nowhere(const Ground& ground, Joined& joined);
  const std::vector<OpenPort>& all() const { return ports_; }

 private:
  std::vector<OpenPort> ports_;
};

}  // namespace mica::container
