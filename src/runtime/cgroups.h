/// Which control groups this machine offers, read from the mount table.
///
/// v1: one hierarchy per controller. v2: one hierarchy for all. Hybrid: v1 controllers, and a v2 hierarchy beside them which has
/// controllers of its own (crun refuses such machines, so it is never started there). none: nothing that we may write (ordinary
/// users without delegation): containers run without limits.
#pragma once
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
  /// Removes the group `path` ("/mica/ID") from all hierarchies; missing ones are fine. For containers whose runtime was killed before it
  /// could do so itself.
  void remove(const std::string& path) const;
};

}  // namespace mica::runtime
