#include "runtime/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include "base/format.h"
#include "base/text.h"

namespace mica::runtime {

namespace {

constexpr std::size_t kAnswerBytes = 64 << 10;

std::array<unsigned char, 6> mac_bytes(const std::string& text) {
  std::array<unsigned char, 6> out{};
  std::size_t i = 0;
  for (const std::string_view part : split(text, ':'))
    if (i < out.size()) out[i++] = static_cast<unsigned char>(std::strtoul(std::string(part).c_str(), nullptr, 16));
  return out;
}

/// Calls each(type, payload, size) for the attributes that follow a fixed header.
template <class Each>
void attributes(const void* start, std::size_t size, Each each) {
  for (auto* at = static_cast<const rtattr*>(start); RTA_OK(at, size); at = RTA_NEXT(at, size)) each(at->rta_type & NLA_TYPE_MASK, RTA_DATA(at), RTA_PAYLOAD(at));
}

int number(const void* data) {
  int out;
  std::memcpy(&out, data, sizeof out);
  return out;
}

}  // namespace

/// A request that grows: a netlink header, a fixed header of the type, attributes.
class Netlink::Message {
 public:
  template <class Fixed>
  Message(int type, int flags, const Fixed& fixed) {
    bytes_.resize(NLMSG_HDRLEN);
    append(&fixed, sizeof fixed);
    nlmsghdr head{.nlmsg_len = 0, .nlmsg_type = static_cast<std::uint16_t>(type), .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags), .nlmsg_seq = 0, .nlmsg_pid = 0};
    std::memcpy(bytes_.data(), &head, sizeof head);
  }
  void append(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
  }
  void add(int type, const void* data, std::size_t size) {
    const rtattr head{static_cast<unsigned short>(RTA_LENGTH(size)), static_cast<unsigned short>(type)};
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof head);
    append(data, size);
  }
  void add(int type, const std::string& text) { add(type, text.c_str(), text.size() + 1); }
  void add(int type, std::uint32_t value) { add(type, &value, sizeof value); }
  void add(int type, const IpAddress& address) {
    unsigned char raw[16];
    address.bytes(raw);
    add(type, raw, static_cast<std::size_t>(address.width() / 8));
  }
  std::size_t begin(int type) {
    const std::size_t at = bytes_.size();
    add(type, nullptr, 0);
    return at;
  }
  void end(std::size_t at) {
    const auto length = static_cast<unsigned short>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &length, sizeof length);
  }
  void add_link(const NewLink& link) {
    add(IFLA_IFNAME, link.name);
    if (!link.mac.empty()) add(IFLA_ADDRESS, mac_bytes(link.mac).data(), 6);
    if (link.mtu) add(IFLA_MTU, static_cast<std::uint32_t>(link.mtu));
    if (link.name_space >= 0) add(IFLA_NET_NS_FD, static_cast<std::uint32_t>(link.name_space));
  }
  const std::string& finish(std::uint32_t sequence) {
    nlmsghdr head;
    std::memcpy(&head, bytes_.data(), sizeof head);
    head.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    head.nlmsg_seq = sequence;
    std::memcpy(bytes_.data(), &head, sizeof head);
    return bytes_;
  }

 private:
  std::string bytes_;
};

Result<Netlink> Netlink::open() {
  sys::Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail_errno("opening a netlink socket");
  return Netlink(std::move(socket));
}

Result<Netlink> Netlink::open_in(const sys::Fd& name_space) {
  Result<Netlink> out = fail(Errc::internal, "entering a network namespace");
  TRY(in_namespace(name_space, [&] { out = open(); }));
  return out;
}

Result<> Netlink::send(Message& message, std::string_view action) {
  const std::string& bytes = message.finish(++sequence_);
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return fail_errno(action);
  std::string answer(kAnswerBytes, '\0');
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(action);
    auto size = static_cast<std::size_t>(n);
    for (auto* head = reinterpret_cast<const nlmsghdr*>(answer.data()); NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
      if (head->nlmsg_seq != sequence_ || head->nlmsg_type != NLMSG_ERROR) continue;
      const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
      if (error == 0) return {};
      return fail(Error::os(-error, action));
    }
  }
}

Result<> Netlink::dump(int type, int family, const std::function<void(const void*, std::size_t)>& each) {
  struct {
    nlmsghdr head;
    rtgenmsg body;
  } request{};
  request.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(rtgenmsg)), .nlmsg_type = static_cast<std::uint16_t>(type), .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = ++sequence_, .nlmsg_pid = 0};
  request.body.rtgen_family = static_cast<unsigned char>(family);
  if (::send(socket_.get(), &request, request.head.nlmsg_len, 0) < 0) return fail_errno("reading interfaces");
  std::string answer(kAnswerBytes, '\0');
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("reading interfaces");
    auto size = static_cast<std::size_t>(n);
    for (auto* head = reinterpret_cast<const nlmsghdr*>(answer.data()); NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
      if (head->nlmsg_seq != sequence_) continue;
      if (head->nlmsg_type == NLMSG_DONE) return {};
      if (head->nlmsg_type == NLMSG_ERROR) return fail(Error::os(-static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error, "reading interfaces"));
      each(NLMSG_DATA(head), head->nlmsg_len - NLMSG_HDRLEN);
    }
  }
}

Result<std::vector<Link>> Netlink::links() {
  std::vector<Link> out;
  TRY(dump(RTM_GETLINK, AF_UNSPEC, [&](const void* data, std::size_t size) {
    auto* info = static_cast<const ifinfomsg*>(data);
    Link link{.index = info->ifi_index, .up = (info->ifi_flags & IFF_UP) != 0};
    attributes(static_cast<const char*>(data) + NLMSG_ALIGN(sizeof *info), size - NLMSG_ALIGN(sizeof *info), [&](int type, const void* value, std::size_t) {
      if (type == IFLA_IFNAME) link.name = static_cast<const char*>(value);
      if (type == IFLA_MASTER) link.master = number(value);
      if (type == IFLA_MTU) link.mtu = number(value);
    });
    out.push_back(std::move(link));
  }));
  return out;
}

Result<std::optional<Link>> Netlink::find(const std::string& name) {
  auto all = TRY(links());
  for (auto& link : all)
    if (link.name == name) return std::move(link);
  return std::nullopt;
}

Result<std::vector<Route>> Netlink::routes() {
  std::vector<Route> out;
  TRY(dump(RTM_GETROUTE, AF_UNSPEC, [&](const void* data, std::size_t size) {
    auto* info = static_cast<const rtmsg*>(data);
    if (info->rtm_type != RTN_UNICAST || (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)) return;
    const bool v6 = info->rtm_family == AF_INET6;
    Route route{.to = {{.v6 = v6}, info->rtm_dst_len}};
    int table = info->rtm_table;
    attributes(static_cast<const char*>(data) + NLMSG_ALIGN(sizeof *info), size - NLMSG_ALIGN(sizeof *info), [&](int type, const void* value, std::size_t) {
      if (type == RTA_DST) route.to.address = IpAddress::from_bytes(static_cast<const unsigned char*>(value), v6);
      if (type == RTA_GATEWAY) route.gateway = IpAddress::from_bytes(static_cast<const unsigned char*>(value), v6);
      if (type == RTA_OIF) route.link = number(value);
      if (type == RTA_PRIORITY) route.metric = static_cast<std::uint32_t>(number(value));
      if (type == RTA_TABLE) table = number(value);
    });
    if (table == RT_TABLE_MAIN) out.push_back(route);
  }));
  return out;
}

Result<std::vector<LinkAddress>> Netlink::addresses() {
  std::vector<LinkAddress> out;
  TRY(dump(RTM_GETADDR, AF_UNSPEC, [&](const void* data, std::size_t size) {
    auto* info = static_cast<const ifaddrmsg*>(data);
    if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) return;
    LinkAddress address{.address = {{.v6 = info->ifa_family == AF_INET6}, info->ifa_prefixlen}, .link = static_cast<int>(info->ifa_index)};
    bool local = false;
    attributes(static_cast<const char*>(data) + NLMSG_ALIGN(sizeof *info), size - NLMSG_ALIGN(sizeof *info), [&](int type, const void* value, std::size_t) {
      if (type != IFA_LOCAL && (type != IFA_ADDRESS || local)) return;
      local = type == IFA_LOCAL;
      address.address.address = IpAddress::from_bytes(static_cast<const unsigned char*>(value), address.address.address.v6);
    });
    out.push_back(address);
  }));
  return out;
}

namespace {
constexpr int kNew = NLM_F_CREATE | NLM_F_EXCL;
ifinfomsg link_header(int index = 0, bool up = false) {
  ifinfomsg out{};
  out.ifi_index = index;
  if (up) out.ifi_flags = out.ifi_change = IFF_UP;
  return out;
}
}  // namespace

Result<> Netlink::add_bridge(const NewLink& link) {
  Message message(RTM_NEWLINK, kNew, link_header());
  message.add_link(link);
  const auto info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("bridge"));
  message.end(info);
  return send(message, format("adding bridge {}", link.name));
}

Result<> Netlink::add_dummy(const NewLink& link) {
  Message message(RTM_NEWLINK, kNew, link_header(0, true));
  message.add_link(link);
  const auto info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("dummy"));
  message.end(info);
  return send(message, format("adding interface {}", link.name));
}

Result<> Netlink::add_veth(const NewLink& link, int master, const NewLink& peer) {
  Message message(RTM_NEWLINK, kNew, link_header(0, true));
  message.add_link(link);
  if (master) message.add(IFLA_MASTER, static_cast<std::uint32_t>(master));
  const auto info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("veth"));
  const auto data = message.begin(IFLA_INFO_DATA), other = message.begin(VETH_INFO_PEER);
  const ifinfomsg head = link_header();
  message.append(&head, sizeof head);
  message.add_link(peer);
  for (const auto at : {other, data, info}) message.end(at);
  return send(message, format("adding interface {}", link.name));
}

Result<> Netlink::add_vlan(const NewLink& link, int parent, int tag) {
  Message message(RTM_NEWLINK, kNew, link_header(0, true));
  message.add_link(link);
  message.add(IFLA_LINK, static_cast<std::uint32_t>(parent));
  const auto info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("vlan"));
  const auto data = message.begin(IFLA_INFO_DATA);
  const auto id = static_cast<std::uint16_t>(tag);
  message.add(IFLA_VLAN_ID, &id, sizeof id);
  for (const auto at : {data, info}) message.end(at);
  return send(message, format("adding VLAN interface {}", link.name));
}

Result<> Netlink::add_macvlan(const NewLink& link, int parent, std::uint32_t mode) {
  Message message(RTM_NEWLINK, kNew, link_header());
  message.add_link(link);
  message.add(IFLA_LINK, static_cast<std::uint32_t>(parent));
  const auto info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("macvlan"));
  const auto data = message.begin(IFLA_INFO_DATA);
  message.add(IFLA_MACVLAN_MODE, mode);
  for (const auto at : {data, info}) message.end(at);
  return send(message, "adding a macvlan interface");
}

Result<> Netlink::add_ipvlan(const NewLink& link, int parent, std::uint16_t mode) {
  Message message(RTM_NEWLINK, kNew, link_header());
  message.add_link(link);
  message.add(IFLA_LINK, static_cast<std::uint32_t>(parent));
  const auto info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, std::string("ipvlan"));
  const auto data = message.begin(IFLA_INFO_DATA);
  message.add(IFLA_IPVLAN_MODE, &mode, sizeof mode);
  for (const auto at : {data, info}) message.end(at);
  return send(message, "adding an ipvlan interface");
}

Result<> Netlink::set_up(int index) {
  Message message(RTM_NEWLINK, 0, link_header(index, true));
  return send(message, "bringing an interface up");
}

Result<> Netlink::add_address(int index, const IpPrefix& address) {
  const ifaddrmsg head{.ifa_family = static_cast<unsigned char>(address.address.v6 ? AF_INET6 : AF_INET), .ifa_prefixlen = static_cast<unsigned char>(address.bits),
                       // Nobody else can have it: waiting for an answer to that question would take a second.
                       .ifa_flags = static_cast<unsigned char>(address.address.v6 ? IFA_F_NODAD : 0), .ifa_scope = RT_SCOPE_UNIVERSE, .ifa_index = static_cast<unsigned>(index)};
  Message message(RTM_NEWADDR, kNew, head);
  message.add(IFA_LOCAL, address.address);
  message.add(IFA_ADDRESS, address.address);
  if (!address.address.v6 && address.bits < 31) message.add(IFA_BROADCAST, address.last());
  auto added = send(message, format("adding address {}", address.text()));
  if (!added && added.error().os_number() == EEXIST) return {};
  return added;
}

namespace {
rtmsg route_header(const Route& route) {
  rtmsg out{};
  out.rtm_family = route.to.address.v6 ? AF_INET6 : AF_INET;
  out.rtm_dst_len = static_cast<unsigned char>(route.to.bits);
  out.rtm_table = RT_TABLE_MAIN;
  out.rtm_protocol = RTPROT_STATIC;
  out.rtm_scope = route.gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  out.rtm_type = RTN_UNICAST;
  return out;
}
}  // namespace

Result<> Netlink::add_route(const Route& route) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route_header(route));
  if (route.to.bits) message.add(RTA_DST, route.to.masked().address);
  if (route.gateway) message.add(RTA_GATEWAY, *route.gateway);
  if (route.link) message.add(RTA_OIF, static_cast<std::uint32_t>(route.link));
  if (route.metric) message.add(RTA_PRIORITY, route.metric);
  return send(message, format("adding the route to {}", route.to.text()));
}

Result<> Netlink::remove_route(const Route& route) {
  Message message(RTM_DELROUTE, 0, route_header(route));
  if (route.to.bits) message.add(RTA_DST, route.to.masked().address);
  if (route.gateway) message.add(RTA_GATEWAY, *route.gateway);
  if (route.link) message.add(RTA_OIF, static_cast<std::uint32_t>(route.link));
  return send(message, format("removing the route to {}", route.to.text()));
}

Result<> Netlink::remove_link(const std::string& name) {
  Message message(RTM_DELLINK, 0, link_header());
  message.add(IFLA_IFNAME, name);
  auto removed = send(message, format("removing interface {}", name));
  if (!removed && removed.error().os_number() == ENODEV) return {};
  return removed;
}

Result<> in_namespace(const sys::Fd& name_space, const std::function<void()>& work) {
  if (!name_space) {
    work();
    return {};
  }
  // A network namespace belongs to a thread; one of our own needs no way back.
  int error = 0;
  std::thread([&] {
    if (::setns(name_space.get(), CLONE_NEWNET) == 0) work();
    else error = errno;
  }).join();
  if (error) return fail(Error::os(error, "entering a network namespace"));
  return {};
}

}  // namespace mica::runtime
