/// Which control groups this machine offers, read from the mount table.
///
/// v1: one hierarchy per controller. v2: one hierarchy for all. Hybrid: v1 controllers, and a v2 hierarchy beside them which has
/// controllers of its own (crun refuses such machines, so it is never started there). none: nothing that we may write (ordinary
/// users without delegation): containers run without limits.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::runtime {

enum class CgroupLayout { none, v1, v2, hybrid };

struct Cgroups {
  CgroupLayout layout = CgroupLayout::none;
  bool writable = false;
  std::vector<std::string> mounts;     ///< mount points of all hierarchies

  /// `mountinfo`: text of /proc/self/mountinfo. `has_controllers(PATH)` answers whether a v2 hierarchy has controllers.
  static Cgroups parse(std::string_view mountinfo, bool (*has_controllers)(const std::string& path));
  static Cgroups of_this_machine();
  /// cgroup.procs of the group that we are in, in one of the hierarchies; empty when it is not in sight. `groups`: text of
  /// /proc/self/cgroup.
  static std::string find_own_processes(std::string_view mountinfo, std::string_view groups);
  /// Removes the group `path` ("/mica/ID") from all hierarchies; missing ones are fine. For containers whose runtime was killed before it
  /// could do so itself.
  void remove(const std::string& path) const;
  /// Removes groups directly below `parent` ("/mica") that nobody is in and that are old enough not to be just made: what is left when
  /// mica itself was killed.
  void remove_abandoned(const std::string& parent) const;
  /// Takes the wait for the kernel's next attachment of a process to a group upon itself (see the top of cgroups.cc): for a thread
  /// beside the start of a runtime. Changes nothing.
  void await_attachable() const;
};

/// How many processes of the group `path` the kernel has killed for want of memory; 0 where it cannot be known.
std::int64_t out_of_memory_kills(const Cgroups& cgroups, const std::string& path);

}  // namespace mica::runtime
