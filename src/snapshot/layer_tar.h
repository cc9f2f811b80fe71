/// Between layer folders and layer tars (OCI Image Spec v1.1, layer.md).
#pragma once
#include <optional>

#include "archive/tar.h"
#include "base/error.h"
#include "oci/digest.h"
#include "snapshot/layer_store.h"

namespace mica::snapshot {

/// Writes the canonical tar of a committed layer: one function of its listing and contents (decision 3): paths in byte order,
/// whiteouts as `.wh.NAME` in their folder, opaque folders as `.wh..wh..opq` inside, hard links to the first path of the group,
/// overlay xattrs left out, devices and fifos kept. `clamp_ns`: file times above it are lowered to it (SOURCE_DATE_EPOCH).
Result<> write_layer_tar(const Listing& listing, const std::string& directory, stream::Sink& to, task::Cancel cancel,
                         std::optional<std::int64_t> clamp_ns = std::nullopt);
/// The merged tree of a chain (no whiteouts), for `-o type=tar`, export and the copy snapshotter.
Result<> write_tree_tar(const TreeView& tree, stream::Sink& to, task::Cancel cancel, std::optional<std::int64_t> clamp_ns = std::nullopt);

struct Applied {
  LayerInfo layer;
  oci::DiffId diff_id;      ///< of exactly the bytes read
};
/// Unpacks one layer tar (uncompressed bytes, untrusted) on top of `below` and commits it. Whiteouts in any order, opaque marks
/// hide only lower layers, implicit parents take the lower tree's metadata (then the layer is tied to this chain), names that
/// climb out are errors, hard links to lower files are copied up. The same layer already there is shared instead (by DiffID).
/// Errors: corrupt, resource_exhausted, cancelled.
Result<Applied> apply_layer_tar(stream::Source& tar, LayerStore& layers, const Chain& below, task::Pool& pool, task::Cancel cancel);

}  // namespace mica::snapshot
