/// Rootless: become "root" of a user namespace with the caller's subordinate ids, once, early in main.
#pragma once
#include "base/error.h"

namespace mica::sys {

/// When the effective user is not 0: forks a child that enters the user namespace of all the user's commands (sys/shared_namespace.h; its maps, by
/// newuidmap and newgidmap: 0 = caller, 1.. = /etc/subuid, /etc/subgid ranges) plus a mount namespace of its own, and re-executes this program there
/// with MICA_ROOTLESS=1 and MICA_ROOTLESS_UID=<uid> set; the parent relays signals and exits with the child's status, so this
/// returns only in the child (or at once for root, or inside the namespace already).
/// Errors: unsupported with a hint (no subordinate ids, newuidmap missing, user namespaces off).
Result<> become_namespace_root();
/// True inside the namespace made above (or any user namespace whose map is not the identity).
bool is_rootless();
/// True when the process has CAP_SYS_ADMIN in its user namespace.
bool can_mount();

}  // namespace mica::sys
