#include "sys/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"

namespace mica::sys {
namespace {

Result<Fd> make_socket(int flags) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!socket) return fail_errno("making a socket");
  return socket;
}

/// /proc/self/fd/N/name: short, whatever the folder is called.
Result<sockaddr_un> address_of(const Fd& folder, const std::string& name) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = format("/proc/self/fd/{}/{}", folder.get(), name);
  if (path.size() >= sizeof address.sun_path) return failf(Errc::invalid_argument, "the socket name {} is too long", quoted(name));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

Result<Fd> listen_unix(const std::string& folder, const std::string& name) {
  const Fd dir = TRY(open(folder, O_PATH | O_DIRECTORY));
  const sockaddr_un address = TRY(address_of(dir, name));
  if (::unlinkat(dir.get(), name.c_str(), 0) != 0 && errno != ENOENT) return fail_errno(format("removing the old socket {}/{}", folder, name));
  Fd socket = TRY(make_socket(SOCK_NONBLOCK));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_errno(format("making the socket {}/{}", folder, name));
  if (::fchmodat(dir.get(), name.c_str(), 0600, 0) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) return fail_errno(format("listening on {}/{}", folder, name));
  return socket;
}

Result<Fd> connect_unix(const std::string& folder, const std::string& name) {
  const Fd dir = TRY(open(folder, O_PATH | O_DIRECTORY));
  const sockaddr_un address = TRY(address_of(dir, name));
  Fd socket = TRY(make_socket(0));
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    const int number = errno;
    Error error = Error::os(number, format("connecting to {}/{}", folder, name));
    if (number == ECONNREFUSED) return fail(std::move(error).with_code(Errc::unavailable));
    return fail(std::move(error));
  }
  return socket;
}

Result<std::optional<Fd>> accept_unix(const Fd& listener) {
  while (true) {
    Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) return socket;
    if (errno == EAGAIN || errno == ECONNABORTED) return std::nullopt;
    if (errno != EINTR) return fail_errno("accepting a connection");
  }
}

Result<std::pair<Fd, Fd>> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return fail_errno("making a pair of sockets");
  return std::pair(Fd(fds[0]), Fd(fds[1]));
}

Result<Fd> receive_descriptor(const Fd& socket) {
  char byte[256];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{.iov_base = byte, .iov_len = sizeof byte};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count;
  do count = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  if (count < 0) return fail_errno("receiving a descriptor");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return fail(Errc::unavailable, "the other end sent no descriptor");
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

}  // namespace mica::sys
