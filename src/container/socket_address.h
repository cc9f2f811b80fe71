/// An address and a port as the socket calls want them.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "runtime/ip.h"

namespace mica::container {

class SocketAddress {
 public:
  sockaddr* pointer() { return reinterpret_cast<sockaddr*>(&storage_); }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  socklen_t* size_pointer() { return &size_; }
  int family() const { return storage_.ss_family; }
  int port() const {
    return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port : reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  }
  /// The bytes: a key for maps.
  std::string key() const { return {reinterpret_cast<const char*>(&storage_), size_}; }

 private:
  friend SocketAddress socket_address(const runtime::IpAddress& address, int port);
  sockaddr_storage storage_{};
  socklen_t size_ = sizeof(sockaddr_storage);
};

inline SocketAddress socket_address(const runtime::IpAddress& address, int port) {
  SocketAddress out;
  unsigned char raw[16];
  address.bytes(raw);
  if (address.v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v6.sin6_addr, raw, 16);
    std::memcpy(&out.storage_, &v6, sizeof v6);
    out.size_ = sizeof v6;
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v4.sin_addr, raw, 4);
    std::memcpy(&out.storage_, &v4, sizeof v4);
    out.size_ = sizeof v4;
  }
  return out;
}
/// Of a text that is an address.
inline SocketAddress socket_address(const std::string& address, int port) { return socket_address(runtime::IpAddress::parse(address).value_or(runtime::IpAddress{}), port); }

}  // namespace mica::container
