#include "http/listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/format.h"
#include "base/text.h"

namespace mica::http {
namespace {

constexpr int kBacklog = 128;

std::unexpected<Error> cannot_listen(const std::string& address) {
  const int number = errno;
  Error error = Error::os(number, format("listening on {}", address));
  if (number == EADDRINUSE)
    return fail(std::move(error).with_code(Errc::conflict).with_hint("another program has that address; port 0 takes a free one"));
  return fail(std::move(error));
}

Result<Listening> listen_unix(const std::string& path, const std::string& shown) {
  sockaddr_un name{.sun_family = AF_UNIX};
  if (path.empty() || path.size() >= sizeof name.sun_path)
    return failf(Errc::invalid_argument, "the path of a socket has 1 to {} bytes: {}", sizeof name.sun_path - 1, quoted(path));
  std::memcpy(name.sun_path, path.data(), path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&name);
  // Whether somebody answers tells a socket in use from one that a killed server left.
  sys::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return cannot_listen(shown);
  if (::connect(probe.get(), generic, sizeof name) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
  sys::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const mode_t before = ::umask(0177);
  const bool bound = socket && ::bind(socket.get(), generic, sizeof name) == 0;
  const int number = errno;
  ::umask(before);
  errno = number;
  if (!bound || ::listen(socket.get(), kBacklog) != 0) return cannot_listen(shown);
  return Listening{.socket = std::move(socket), .address = shown, .unix_path = path, .loopback = true};
}

struct HostPort {
  std::string host, port;
};

Result<HostPort> host_and_port(const std::string& address) {
  const auto colon = address.rfind(':');
  HostPort out{.host = "127.0.0.1", .port = address};
  if (colon != address.npos) out = {.host = address.substr(0, colon), .port = address.substr(colon + 1)};
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  const auto port = parse_int(out.port);
  if (!port || *port < 0 || *port > 65535)
    return fail(Error(Errc::invalid_argument, format("{} is no address to listen on", quoted(address))).with_hint("give HOST:PORT, PORT or unix:/PATH"));
  return out;
}

Result<std::string> name_of(const sys::Fd& socket, bool& loopback) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return fail_errno("reading a socket's address");
  char text[INET6_ADDRSTRLEN] = {};
  if (name.ss_family == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(&name);
    loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
    return format("[{}]:{}", ::inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text), ntohs(six->sin6_port));
  }
  const auto* four = reinterpret_cast<const sockaddr_in*>(&name);
  loopback = (ntohl(four->sin_addr.s_addr) >> 24) == 127;
  return format("{}:{}", ::inet_ntop(AF_INET, &four->sin_addr, text, sizeof text), ntohs(four->sin_port));
}

}  // namespace

Result<Listening> listen_on(const std::string& address) {
  if (address.starts_with("unix:")) return listen_unix(address.substr(address.starts_with("unix://") ? 7 : 5), address);
  const HostPort where = TRY(host_and_port(address));
  addrinfo hints{.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  addrinfo* list = nullptr;
  if (const int status = ::getaddrinfo(where.host.empty() ? nullptr : where.host.c_str(), where.port.c_str(), &hints, &list); status != 0)
    return failf(Errc::not_found, "listening on {}: {}", address, ::gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  Listening out;
  for (const addrinfo* one = list; one; one = one->ai_next) {
    out.socket = sys::Fd(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (!out.socket) continue;
    (void)::setsockopt(out.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(out.socket.get(), one->ai_addr, one->ai_addrlen) == 0 && ::listen(out.socket.get(), kBacklog) == 0) {
      out.address = TRY(name_of(out.socket, out.loopback));
      return out;
    }
  }
  return cannot_listen(address);
}

}  // namespace mica::http
