/// Folders and empty files under a step's root for what will be mounted there, as a layer of their own below the writable one.
///
/// An OCI runtime makes missing mount points in the root filesystem, which would leave them, and their changed parents, in the
/// step's layer. Here they lie in a throw-away layer instead: what the step changes is then all that its layer holds.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "snapshot/tree_view.h"

namespace mica::build {

struct MountPoint {
  std::string path;             ///< absolute
  bool is_file = false;
};

/// Makes the layer in `folder` (new). nullopt: everything is there already. /proc, /sys and /dev are left to the runtime: Docker's layers
/// keep these.
Result<std::optional<snapshot::TreeView::Layer>> make_mount_points(const snapshot::TreeView& tree, const std::vector<MountPoint>& points,
                                                                   const std::string& folder);

}  // namespace mica::build
