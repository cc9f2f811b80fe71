#include "container/byte_pump.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container/socket_address.h"

namespace mica::container {

namespace {
constexpr std::size_t kBufferBytes = 128 << 10;
constexpr std::size_t kReadBytes = 64 << 10;
}  // namespace

BytePump::BytePump(EventLoop& loop, sys::Fd from, sys::Fd to, std::string first, std::function<void()> ended)
    : loop_(loop), a_{.fd = std::move(from), .out = {}}, b_{.fd = std::move(to), .out = std::move(first)}, ended_(std::move(ended)) {
  const int on = 1;
  for (const Side* side : {&a_, &b_}) {
    ::setsockopt(side->fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(side->fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  a_.watch = loop_.watch(a_.fd.get(), 0, [this](std::uint32_t events) { step(events, a_); });
  b_.watch = loop_.watch(b_.fd.get(), EPOLLOUT, [this](std::uint32_t events) { step(events, b_); });
}

BytePump::~BytePump() {
  loop_.forget(a_.watch);
  loop_.forget(b_.watch);
}

void BytePump::finish() {
  // Destroys us.
  const auto ended = std::move(ended_);
  ended();
}

void BytePump::step(std::uint32_t events, Side& side) {
  Side& other = &side == &a_ ? b_ : a_;
  if (connecting_ && &side == &b_) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(b_.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return finish();
    connecting_ = false;
  }
  if (events & EPOLLERR) return finish();
  if (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP) && !read_some(side, other)) return finish();
  if (!connecting_ && (!write_some(side) || !write_some(other))) return finish();
  if (a_.closed && b_.closed) return finish();
  // Both directions of a socket whose peer is gone have ended, even if this one took no notice yet.
  if (events & EPOLLHUP && side.ended && other.closed) return finish();
  arm(a_, b_);
  arm(b_, a_);
}

bool BytePump::read_some(Side& from, Side& to) {
  if (from.ended || to.out.size() - to.sent >= kBufferBytes) return true;
  char bytes[kReadBytes];
  const ssize_t n = ::read(from.fd.get(), bytes, sizeof bytes);
  if (n > 0) to.out.append(bytes, static_cast<std::size_t>(n));
  if (n == 0) from.ended = true;
  return n >= 0 || errno == EAGAIN || errno == EINTR;
}

bool BytePump::write_some(Side& side) {
  while (side.sent < side.out.size()) {
    const ssize_t n = ::send(side.fd.get(), side.out.data() + side.sent, side.out.size() - side.sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    side.sent += static_cast<std::size_t>(n);
  }
  side.out.clear();
  side.sent = 0;
  const Side& source = &side == &a_ ? b_ : a_;
  if (source.ended && !side.closed) {
    ::shutdown(side.fd.get(), SHUT_WR);
    side.closed = true;
  }
  return true;
}

void BytePump::arm(Side& side, const Side& other) {
  std::uint32_t events = 0;
  if (!side.ended && other.out.size() - other.sent < kBufferBytes && !(connecting_ && &side == &b_)) events |= EPOLLIN;
  if (side.out.size() > side.sent || (connecting_ && &side == &b_)) events |= EPOLLOUT;
  loop_.change(side.watch, events);
}

Result<sys::Fd> connect_in(EventLoop& loop, const sys::Fd& name_space, const std::string& address, int port) {
  const auto to = socket_address(address, port);
  auto socket = TRY(loop.socket_in(name_space, to.family(), SOCK_STREAM));
  if (::connect(socket.get(), to.pointer(), to.size()) != 0 && errno != EINPROGRESS) return fail_errno("connecting");
  return socket;
}

}  // namespace mica::container
