/// Without root: one user namespace, and in it one network namespace, for all commands of a user that run at the same time. Containers live longer than the
/// command that starts them, and only who is in their user namespace can look into them, join their networks and end their processes.
///
/// A process of ours, the holder, keeps both namespaces alive; it does nothing, and ends when nobody uses them. In the user's runtime folder
/// ($XDG_RUNTIME_DIR/mica, /run/user/UID/mica or /tmp/mica-UID):
///
///   use       flocked shared by every command and monitor; the holder waits for it alone, and then goes
///   holder    the holder's process id; flocked by it as long as it lives
///   start     flocked while a holder is looked for and started
///   pasta.pid the process that joins the network namespace to the outside, if one is there (container/network_ground.h); it goes with the holder
#pragma once
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "sys/fd.h"
#include "sys/lock.h"

namespace mica::sys {

inline constexpr const char* kSharedFolderVariable = "MICA_ROOTLESS_FOLDER";
inline constexpr const char* kHolderVariable = "MICA_ROOTLESS_HOLDER";
inline constexpr const char* kPastaPidFile = "/pasta.pid";

struct SharedNamespace {
  std::string folder;
  pid_t holder = -1;
  Fd user;                                               ///< the namespace, for setns(2)
  FileLock use;                                          ///< keeps the holder
};

/// For the user `uid`, who is the caller. `write_maps` gives a new holder its ids, from outside of it. Single-threaded: forks.
/// Errors: unsupported (no namespaces here), those of write_maps, permission_denied (the runtime folder is somebody else's).
Result<SharedNamespace> open_shared_namespace(uid_t uid, const std::function<Result<>(pid_t)>& write_maps);

/// Inside: keeps the holder as long as this process lives. Does nothing for those who are in no shared namespace.
Result<> keep_shared_namespace();
/// Inside: the runtime folder and the holder, whose /proc/PID/ns/net is the shared network namespace. Nothing when there is none.
struct SharedPlace {
  std::string folder;
  pid_t holder = -1;
};
std::optional<SharedPlace> shared_place();
/// The process that joins the shared network namespace to the outside; -1 when there is none.
pid_t pasta_of(const std::string& folder);

}  // namespace mica::sys
