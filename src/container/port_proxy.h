/// One published port: a socket of the machine, and who answers behind it.
///
/// As root the firewall sends most packets to the container directly; the proxy keeps the port taken, and serves what the firewall cannot: the loopback addresses, and
/// containers on the same machine. Without root it serves everything.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "container/byte_pump.h"
#include "container/event_loop.h"

namespace mica::container {

/// A socket that listens on (tcp) or is bound to (udp) `address`; port 0: any. IPv6 ones do not take IPv4.
/// Errors: Errc::conflict (taken), permission_denied (below 1024 without the right), unavailable (no such address here), unsupported (no IPv6).
Result<sys::Fd> open_port(std::string_view protocol, const std::string& address, int port);

class PortProxy {
 public:
  struct Target {
    std::string address;
    int port = 0;
  };
  /// Serves from now on. `name_space` (may be empty) is where the target is reached from; it must outlive this.
  PortProxy(EventLoop& loop, sys::Fd socket, bool udp, Target target, const sys::Fd& name_space);
  ~PortProxy();                                          ///< ends all its connections
  /// For new connections.
  void set_target(Target target);

 private:
  struct Peer {
    std::string address;                                 ///< the bytes of its socket address
    sys::Fd socket;
    std::uint64_t watch = 0;
    std::int64_t last_ns = 0;
  };
  void accept_some();
  void datagrams();
  void answers(const std::string& peer);
  Peer* peer_for(const std::string& address);
  void drop_idle();

  EventLoop& loop_;
  sys::Fd socket_;
  bool udp_;
  Target target_;
  const sys::Fd& name_space_;
  std::uint64_t watch_ = 0, tick_ = 0, next_ = 0;
  bool paused_ = false;
  std::map<std::uint64_t, std::unique_ptr<BytePump>> pumps_;
  std::map<std::string, Peer> peers_;
};

}  // namespace mica::container
