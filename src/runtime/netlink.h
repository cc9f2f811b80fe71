/// Interfaces, addresses and routes of one network namespace, by rtnetlink: what `ip link`, `ip address` and `ip route` do, without starting a
/// program for each.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/ip.h"
#include "sys/fd.h"

namespace mica::runtime {

struct Link {
  int index = 0;
  std::string name;
  int master = 0;                                        ///< index of the bridge it belongs to
  int mtu = 0;
  bool up = false;
};

struct Route {
  IpPrefix to;                                           ///< bits 0: the default route
  std::optional<IpAddress> gateway;
  int link = 0;
  std::uint32_t metric = 0;
};

struct LinkAddress {
  IpPrefix address;
  int link = 0;
};

/// What an interface is made with. Moved into `name_space` when that is a descriptor of one.
struct NewLink {
  std::string name;
  std::string mac;                                       ///< "": the kernel's choice
  int mtu = 0;                                           ///< 0: the kernel's choice
  int name_space = -1;
};

/// A socket in the network namespace of the thread that opened it. Used by one thread at a time.
class Netlink {
 public:
  static Result<Netlink> open();
  /// In another one; the calling thread stays where it is.
  static Result<Netlink> open_in(const sys::Fd& name_space);

  Result<std::vector<Link>> links();
  /// Nothing when there is none of that name.
  Result<std::optional<Link>> find(const std::string& name);
  Result<std::vector<Route>> routes();                   ///< of the main table, both families
  Result<std::vector<LinkAddress>> addresses();

  Result<> add_bridge(const NewLink& link);
  Result<> add_dummy(const NewLink& link);
  /// `link` is our end, already up and in bridge `master`; `peer` is in its own namespace.
  Result<> add_veth(const NewLink& link, int master, const NewLink& peer);
  Result<> add_vlan(const NewLink& link, int parent, int number);
  Result<> add_macvlan(const NewLink& link, int parent, std::uint32_t mode);       ///< MACVLAN_MODE_*
  Result<> add_ipvlan(const NewLink& link, int parent, std::uint16_t mode);        ///< IPVLAN_MODE_*
  Result<> set_up(int index);
  Result<> add_address(int index, const IpPrefix& address);   ///< one that is there already is no error
  Result<> add_route(const Route& route);
  Result<> remove_route(const Route& route);
  Result<> remove_link(const std::string& name);              ///< missing is no error

 private:
  class Message;
  explicit Netlink(sys::Fd socket) : socket_(std::move(socket)) {}
  Result<> send(Message& message, std::string_view action);
  Result<> dump(int type, int family, const std::function<void(const void* header, std::size_t size)>& each);

  sys::Fd socket_;
  std::uint32_t sequence_ = 0;
};

/// Runs `work` on a thread of its own in the network namespace `name_space`, or right here when that is empty, and returns when it is done.
/// Errors: permission_denied (it was not run then).
Result<> in_namespace(const sys::Fd& name_space, const std::function<void()>& work);

}  // namespace mica::runtime
