/// The socket that a server listens on.
#pragma once
#include <string>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::http {

struct Listening {
  sys::Fd socket;
  std::string address;           ///< as it became: "127.0.0.1:45123", "[::1]:5000", "unix:/run/x.sock"
  std::string unix_path;         ///< to be removed at the end; empty for TCP
  bool loopback = true;          ///< only this machine reaches it
};

/// `address`: "HOST:PORT" (HOST a name or number, "[::1]" for IPv6, empty for every interface; PORT 0 for a free one), "PORT" (of
/// 127.0.0.1), or "unix:/PATH". A socket file that nobody listens on any more is replaced; a new one is the owner's only.
/// Errors: invalid_argument, conflict (in use), permission_denied, not_found (no such host).
Result<Listening> listen_on(const std::string& address);

}  // namespace mica::http
