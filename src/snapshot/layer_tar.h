/// Between layer folders and layer tars (OCI Image Spec v1.1, layer.md).
///
/// The canonical tar of a layer is one function of its listing and contents (decision 3): the same bytes on any machine.
/// - Entries stand in the byte order of their full paths without leading "/" or "./" ("a" before "a-b" before "a/b"), so that
///   parents come before what is in them. The root is not in it.
/// - A whiteout stands where the path that it hides would: an empty file `.wh.NAME`. The mark of an opaque folder, an empty file
///   `.wh..wh..opq`, follows its folder at once. Both have mode 0, owner 0:0 and time 0.
/// - Of a group of hard links the first path holds the content, the others are links to it by its full path.
/// - Headers and PAX records are those of archive::TarWriter. Symbolic links have mode 0777; devices and fifos are kept; extended
///   attributes are those of the listing.
#pragma once
#include <optional>

#include "archive/tar.h"
#include "base/error.h"
#include "oci/digest.h"
#include "snapshot/layer_store.h"

namespace mica::snapshot {

/// Writes the canonical tar of a committed layer; does not finish `to`. `clamp_ns`: file times above it are lowered to it
/// (SOURCE_DATE_EPOCH). Errors: corrupt (a file is not as listed), unsupported (a name that would read as a marker), cancelled.
Result<> write_layer_tar(const Listing& listing, const std::string& directory, stream::Sink& to, task::Cancel cancel,
                         std::optional<std::int64_t> clamp_ns = std::nullopt);
/// The merged tree of a chain in the same form (no markers), for `-o type=tar` and export.
Result<> write_tree_tar(const TreeView& tree, stream::Sink& to, task::Cancel cancel, std::optional<std::int64_t> clamp_ns = std::nullopt);

struct Applied {
  LayerInfo layer;
  oci::DiffId diff_id;
};
/// Whose digest a layer goes by: the tar that was read (an image's config names it), or the canonical tar of what it unpacked to
/// (when the DiffID is ours to choose).
enum class DiffIdOf { tar, canonical };
/// Unpacks one layer tar (uncompressed bytes, untrusted) on top of `below` and commits it, in one pass and with little memory but
/// for the list of entries.
///
/// Whiteouts and opaque marks hide only lower layers, wherever they stand. Of entries for one path the last one counts; folders
/// merge. Implicit parents take the lower tree's metadata (0755 0:0 where there is none), links in parents are followed inside the
/// tree as it is, hard links to lower files are copied up; such layers are tied to this chain. Names that climb out, and what
/// makes no sense in a layer, are errors. Sockets do not occur in tars; device nodes are left out where our rights do not allow
/// them, extended attributes where the file system cannot hold them.
///
/// When the store has a layer of the same DiffID that may be used on top of `below`, that one is returned. With DiffIdOf::tar the
/// canonical tar may be another one than the bytes read: who must give those again keeps them.
/// Errors: corrupt, unsupported (an owner that rootless cannot have), resource_exhausted, cancelled.
Result<Applied> apply_layer_tar(stream::Source& tar, LayerStore& layers, const Chain& below, task::Pool& pool, task::Cancel cancel,
                                DiffIdOf which = DiffIdOf::tar);

/// The same in two steps, so that the layers of an image can be unpacked side by side, before the ones below them are there.
struct UnpackedLayer {
  StagedLayer staged;
  Listing listing;
  oci::DiffId diff_id;               ///< of the bytes read
  bool tied = false;                 ///< the outcome depends on the layers below
};
/// `lower`: the tree below. An empty one for a layer whose lower layers are not there yet: then the outcome is good only if it is not tied,
/// and an error may be due to the missing lower tree too.
Result<UnpackedLayer> unpack_layer_tar(stream::Source& tar, LayerStore& layers, const TreeView& lower, task::Pool& pool, task::Cancel cancel);
/// Commits it on top of `below` with its tar's DiffID; or returns the layer of that DiffID that is there already.
Result<LayerInfo> commit_unpacked(UnpackedLayer layer, LayerStore& layers, const Chain& below);

}  // namespace mica::snapshot
