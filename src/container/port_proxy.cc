#include "container/port_proxy.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/time.h"
#include "container/socket_address.h"

namespace mica::container {

namespace {

constexpr int kBacklog = 512;
constexpr std::size_t kMaxDatagram = 64 << 10;
constexpr std::size_t kMaxPeers = 4096;
constexpr int kDatagramsAtOnce = 32;
constexpr std::int64_t kIdleNs = 90'000'000'000;          // what Docker's proxy waits, and about what the kernel's table of connections does

}  // namespace

Result<sys::Fd> open_port(std::string_view protocol, const std::string& address, int port) {
  const auto at = socket_address(address, port);
  const bool udp = protocol == "udp";
  sys::Fd socket(::socket(at.family(), (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    const int error = errno;
    return fail(Error::os(error, "making a socket").with_code(Errc::unsupported));
  }
  const int on = 1;
  // Connections of the last owner that are still being closed keep nobody out. (For datagrams it would let in two owners.)
  if (!udp) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.family() == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(socket.get(), at.pointer(), at.size()) != 0 || (!udp && ::listen(socket.get(), kBacklog) != 0)) {
    const int error = errno;
    auto failure = Error::os(error, format("listening on port {} of {}", port, address));
    if (error == EADDRINUSE) return fail(std::move(failure).with_code(Errc::conflict));
    if (error == EADDRNOTAVAIL) return fail(std::move(failure).with_code(Errc::unavailable));
    return fail(std::move(failure));
  }
  return socket;
}

PortProxy::PortProxy(EventLoop& loop, sys::Fd socket, bool udp, Target target, const sys::Fd& name_space)
    : loop_(loop), socket_(std::move(socket)), udp_(udp), target_(std::move(target)), name_space_(name_space) {
  loop_.run([this] {
    watch_ = loop_.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) { udp_ ? datagrams() : accept_some(); });
    tick_ = loop_.every_second([this] { drop_idle(); });
  });
}

PortProxy::~PortProxy() {
  loop_.run([this] {
    loop_.forget(watch_);
    loop_.forget(tick_);
    pumps_.clear();
    for (auto& [address, peer] : peers_) loop_.forget(peer.watch);
    peers_.clear();
  });
}

void PortProxy::set_target(Target target) {
  loop_.run([&] {
    target_ = std::move(target);
    for (auto& [address, peer] : peers_) loop_.forget(peer.watch);
    peers_.clear();
  });
}

void PortProxy::accept_some() {
  sys::Fd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // It would be ready again at once: until the next tick.
      loop_.change(watch_, 0);
      paused_ = true;
    }
    return;
  }
  auto to = connect_in(loop_, name_space_, target_.address, target_.port);
  if (!to) return log::debug("port proxy: {}", to.error().text());
  const std::uint64_t number = ++next_;
  pumps_[number] = std::make_unique<BytePump>(loop_, std::move(client), std::move(*to), "", [this, number] { pumps_.erase(number); });
}

PortProxy::Peer* PortProxy::peer_for(const std::string& address) {
  if (const auto found = peers_.find(address); found != peers_.end()) return &found->second;
  if (peers_.size() >= kMaxPeers) {
    const auto oldest = std::ranges::min_element(peers_, {}, [](const auto& one) { return one.second.last_ns; });
    loop_.forget(oldest->second.watch);
    peers_.erase(oldest);
  }
  const auto to = socket_address(target_.address, target_.port);
  auto socket = loop_.socket_in(name_space_, to.family(), SOCK_DGRAM);
  if (!socket || ::connect(socket->get(), to.pointer(), to.size()) != 0) return nullptr;
  Peer peer{.address = address, .socket = std::move(*socket)};
  peer.watch = loop_.watch(peer.socket.get(), EPOLLIN, [this, address](std::uint32_t) { answers(address); });
  return &peers_.emplace(address, std::move(peer)).first->second;
}

void PortProxy::datagrams() {
  static thread_local std::string bytes(kMaxDatagram, '\0');
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    SocketAddress from;
    const ssize_t n = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, from.pointer(), from.size_pointer());
    if (n < 0) return;
    Peer* peer = peer_for(from.key());
    if (!peer) continue;
    peer->last_ns = monotonic_ns();
    ::send(peer->socket.get(), bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
  }
}

void PortProxy::answers(const std::string& address) {
  static thread_local std::string bytes(kMaxDatagram, '\0');
  const auto found = peers_.find(address);
  if (found == peers_.end()) return;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const ssize_t n = ::recv(found->second.socket.get(), bytes.data(), bytes.size(), 0);
    if (n < 0) return;   // also "connection refused": nobody listens in the container
    found->second.last_ns = monotonic_ns();
    ::sendto(socket_.get(), bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(address.data()), static_cast<socklen_t>(address.size()));
  }
}

void PortProxy::drop_idle() {
  if (paused_) {
    loop_.change(watch_, EPOLLIN);
    paused_ = false;
  }
  const std::int64_t least = monotonic_ns() - kIdleNs;
  for (auto at = peers_.begin(); at != peers_.end();) {
    if (at->second.last_ns >= least) {
      ++at;
      continue;
    }
    loop_.forget(at->second.watch);
    at = peers_.erase(at);
  }
}

}  // namespace mica::container
