#include "sys/userns.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "sys/fd.h"
#include "sys/subordinate_ids.h"

namespace mica::sys {

bool is_rootless() {
  // The whole range mapped onto itself is the first namespace's map, or that of one which adds no limit.
  static const bool rootless = [] {
    const auto map = read_file("/proc/self/uid_map", 64 << 10);
    return map && !is_identity_map(*map);
  }();
  return rootless;
}

bool can_mount() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

}  // namespace mica::sys
