/// The root filesystem of a container: its image's layers with a folder of its own over them, for as long as the container exists.
///
/// `folder` is the container's: fs (the upper folder, in overlay form), work, merged (where it is mounted, in the mount namespace of whoever mounts
/// it). Where overlays cannot be had, fs is a whole copy of the image's tree instead, and a file `copied` says so.
#pragma once
#include <string>

#include "snapshot/layer_store.h"
#include "sys/mount.h"
#include "task/task.h"

namespace mica::snapshot {

/// When the container is made. `copy`: the snapshotter is "copy".
Result<> make_container_root(LayerStore& layers, const Chain& chain, const std::string& folder, bool copy, task::Pool& pool, task::Cancel cancel);
/// Mounts it at folder/merged. Nobody else may have it mounted: the caller holds the container's lock. Its files are synced as those of any
/// file system are (no "volatile" upper folder): a container outlives a power failure.
Result<sys::Mount> mount_container_root(LayerStore& layers, const Chain& chain, const std::string& folder);
/// Whether folder/fs holds changes in overlay form (diff, commit), not a whole tree.
bool has_overlay_changes(const std::string& folder);

}  // namespace mica::snapshot
