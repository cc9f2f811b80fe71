/// Unix stream sockets with a name in the file system, of any length: paths are reached through their folder's descriptor, since
/// an address has room for 107 bytes only.
#pragma once
#include <string>
#include <utility>

#include "sys/fd.h"

namespace mica::sys {

/// Listens at folder/name (mode 0600, non-blocking); a socket file of a dead process is replaced.
Result<Fd> listen_unix(const std::string& folder, const std::string& name);
/// Errors: not_found (no such socket), unavailable (nobody listens there).
Result<Fd> connect_unix(const std::string& folder, const std::string& name);
/// A connection that waits, or nothing when none does.
Result<std::optional<Fd>> accept_unix(const Fd& listener);
Result<std::pair<Fd, Fd>> socket_pair();
/// The descriptor that comes as ancillary data of the next message. Errors: unavailable when the other end closed without sending one.
Result<Fd> receive_descriptor(const Fd& socket);

}  // namespace mica::sys
